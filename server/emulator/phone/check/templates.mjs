/**
 * Templates use only what both of WeChat's component frameworks support. Pages in a web view run on
 * the older one, exparser; glass-easel, on which the browser phone runs, accepts more.
 * Source: WeChat's guide to glass-easel, 适配指引 and 新增特性.
 */

import { fault } from "./app.mjs";

const COMMENT = /<!--[\s\S]*?-->/g;
const SCRIPT = /(<wxs\b[^>]*>)[\s\S]*?(<\/wxs>)/g;
const BINDING = /\{\{([\s\S]*?)\}\}/g;
const STRING = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g;
const MODULE = /<wxs\b[^>]*\bmodule\s*=\s*["']([\w$]+)["']/g;

/** Patterns outside of bindings, with the fault they mean. */
const MARKUP = [
  [/&(?:#\w+|\w+);/g, (found) => `${found} is not decoded by WeChat's older framework: write it as {{'…'}}`],
  [/="[^"]*\\"|='[^']*\\'/g, () => "a quotation mark behind a backslash: use the other kind of quotation mark"],
  [/(?<=\s)wx-(?:if|elif|else|for|key)\b/g, (found) => `${found} is written ${found.replace("-", ":")}`],
  [/<include\b/g, () => "<include> loses item and index inside wx:for: use <import> and <template>"],
];
/** Patterns inside bindings, after removing strings. */
const EXPRESSION = [
  [/\?\.(?!\d)/, "?."],
  [/\?\?/, "??"],
  [/`/, "a template string"],
  [/=>/, "=>"],
  [/\*\*/, "**"],
  [/\b(?:typeof|instanceof|new|void|delete|in)\b/, "a keyword operator"],
];
const CALL = /([A-Za-z_$][\w$]*)(?:\.[\w$]+)*\s*\(/g;

export function otherThanWxml(app) {
  return app.own.filter((file) => file.endsWith(".wxml")).flatMap((file) => judged(file, app.text(file)));
}

function judged(file, source) {
  const blank = (text) => text.replace(/[^\n]/g, " ");
  const text = source.replace(COMMENT, blank).replace(SCRIPT, (all, open, close) => open + blank(all.slice(open.length, -close.length)) + close);
  const at = (index) => text.slice(0, index).split("\n").length;
  const markup = text.replace(BINDING, blank);
  const outside = MARKUP.flatMap(([pattern, words]) => [...markup.matchAll(pattern)].map((one) => fault(file, at(one.index), words(one[0]))));
  const modules = new Set([...text.matchAll(MODULE)].map(([, name]) => name));
  const inside = [...text.matchAll(BINDING)].flatMap((one) => wrongIn(one[1], modules).map((words) => fault(file, at(one.index), words)));
  return [...outside, ...inside];
}

function wrongIn(expression, modules) {
  const bare = expression.replace(STRING, "''");
  const signs = EXPRESSION.filter(([pattern]) => pattern.test(bare)).map(([, name]) => `${name} in a template: WeChat's older framework does not read it`);
  const calls = [...bare.matchAll(CALL)].filter(([, name]) => !modules.has(name));
  return [...signs, ...calls.map(([, name]) => `a template calls ${name}(), which is no function of a <wxs> module`)];
}
