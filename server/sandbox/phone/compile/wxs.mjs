// WXS is nearly JavaScript: there `value.constructor` is the type's name, and a file is required
// with its ending, which the templates' own loader does not know.

const CONSTRUCTOR = /\.constructor\b(?!\?)/g;
const ENDING = /(\brequire\(\s*(['"])[^'"]+?)\.wxs(\2\s*\))/g;
const INLINE = /(<wxs\b[^>]*>)([\s\S]*?)(<\/wxs>)/g;

/** A .wxs file as a browser can run it. @param {string} source */
export const wxsForWeb = (source) =>
  source.replace(CONSTRUCTOR, ".constructor?.name").replace(ENDING, "$1$3");

/** A template whose inline scripts a browser can run. @param {string} source */
export const inlineWxsForWeb = (source) =>
  source.replace(INLINE, (_all, open, body, close) => open + wxsForWeb(body) + close);

const MODULE = /<wxs\b[^>]*\bmodule\s*=\s*["']([\w$]+)["']/g;
const RESPONDER = /\s((?:capture-)?(?:mut-)?(?:bind|catch)[\w:-]*|change:[\w-]+)\s*=\s*(["'])\{\{\s*([\w$]+)\.([\w$]+)\s*\}\}\2/g;

/**
 * Where events or changes of properties are bound to functions of a script, which WeChat runs beside
 * the page's own code and this phone does not run.
 * @param {string} text a template
 * @param {string} path its path, without ending
 */
export function respondersOf(text, path) {
  const modules = new Set([...text.matchAll(MODULE)].map(([, name]) => name));
  return [...text.matchAll(RESPONDER)]
    .filter(([, , , module]) => modules.has(module))
    .map(({ index, 1: attribute, 3: module, 4: name }) => {
      const line = text.slice(0, index + 1).split("\n").length;
      return `${path}.wxml:${line}: WXS event responder ${attribute}="{{${module}.${name}}}"`;
    });
}
