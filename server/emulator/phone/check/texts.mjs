/**
 * Wording: every text used by a page is in the Chinese catalogue, every entry is used, and each
 * other language has it or names it in its fallback list.
 *
 * A page uses texts of the section in `dressed('…')` as `t.key`, and texts of the section `common`
 * as `c.key`; a component uses those as `words.key`. A key that occurs as a string literal counts
 * as used where a page selects by a value, as in `t[kind]`.
 */

import { posix } from "node:path";
import ts from "typescript";

import { fault } from "./app.mjs";

const FOLDER = "texts/";
const WHOLE = "zh";
const INDEX = `${FOLDER}index.ts`;
/** Sections or keys that a language still shows in Chinese. */
const FALLBACK = "waiting";
const COMMON = "common";
/** The heading of every page is the title of its navigation bar. */
const ALWAYS = "title";

export function missingTexts(app) {
  const all = catalogues(app);
  const whole = all.find(({ language }) => language === WHOLE);
  if (!whole) return [];
  const others = all.filter((one) => one !== whole);
  return [
    ...unknownWords(app, whole),
    ...idleWords(app, whole),
    ...all.flatMap(emptyWords),
    ...others.flatMap((one) => [...strayWords(one, whole), ...untranslated(one, whole), ...staleFallbacks(one, whole)]),
  ];
}

/** How many sentences each language has, and what it shows in Chinese instead. */
export function textFigures(app) {
  const all = catalogues(app);
  const count = all.find(({ language }) => language === WHOLE)?.words.size ?? 0;
  return all.flatMap(({ language, words, fallback }) => {
    const share = ((100 * words.size) / count).toFixed(1);
    const said = `texts: ${language} ${words.size} of ${count} wordings (${share} %)`;
    return fallback.size === 0 ? [said] : [`${said}; in Chinese until translated: ${[...fallback.keys()].join(" ")}`];
  });
}

/**
 * `texts/<language>.ts` with its parts `texts/<language>_<part>.ts`: texts as `section.key` and the
 * fallback list, each with its place.
 */
function catalogues(app) {
  const files = app.own.filter((file) => file.startsWith(FOLDER) && file.endsWith(".ts") && file !== INDEX);
  const languages = [...new Set(files.map(languageOf))];
  return app.once("catalogues", () => languages.map((language) => catalogue(app, language, files.filter((file) => languageOf(file) === language))));
}

const languageOf = (file) => posix.basename(file, ".ts").split("_")[0];

function catalogue(app, language, files) {
  const made = { file: `${FOLDER}${language}.ts`, language, words: new Map(), fallback: new Map() };
  for (const file of files) readWords(made, file, app.text(file));
  return made;
}

function readWords(made, file, text) {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const line = (node) => tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
  for (const { name, initializer } of declared(tree)) {
    if (name.text === FALLBACK) for (const one of initializer.elements) made.fallback.set(one.text, line(one));
    if (name.text !== posix.basename(file, ".ts")) continue;
    // A part is included by a spread, which has no sections of its own here.
    for (const section of initializer.properties.filter(ts.isPropertyAssignment))
      for (const word of section.initializer.properties)
        made.words.set(`${section.name.text}.${word.name.text}`, { file, text: word.initializer.text ?? "", line: line(word) });
  }
}

const declared = (tree) => tree.statements.filter(ts.isVariableStatement).flatMap((one) => [...one.declarationList.declarations]);

/** The uses: `section.key` with its place; `chooses` where a page selects texts by a value. */
function said(app) {
  return app.once("said", () => {
    const found = { words: [], chooses: new Set() };
    const files = app.own.filter((file) => /\.(ts|wxml)$/.test(file) && !file.startsWith(FOLDER));
    for (const file of files) {
      note(found, app, file, COMMON, file.startsWith("components/") ? "words" : "c");
      const section = sectionOf(app, posix.dirname(file));
      if (section) note(found, app, file, section, "t");
    }
    return found;
  });
}

/** The text section of the page in a folder, or in the nearest folder above it. */
function sectionOf(app, folder) {
  if (folder === ".") return undefined;
  const script = `${folder}/index.ts`;
  const own = app.has.has(script) ? /dressed\('(\w+)'\)/.exec(app.text(script))?.[1] : undefined;
  return own ?? sectionOf(app, posix.dirname(folder));
}

function note(found, app, file, section, name) {
  const text = app.text(file);
  const place = `(?:(?<![\\w.])|data\\.)${name}`;
  for (const match of text.matchAll(new RegExp(`${place}\\.(\\w+)`, "g")))
    found.words.push({ file, line: text.slice(0, match.index).split("\n").length, key: `${section}.${match[1]}` });
  if (new RegExp(`${place}\\[`).test(text)) found.chooses.add(section);
}

function unknownWords(app, whole) {
  return said(app)
    .words.filter(({ key }) => !whole.words.has(key))
    .map(({ file, line, key }) => fault(file, line, `${key} is not in ${whole.file}`));
}

function idleWords(app, whole) {
  const { words, chooses } = said(app);
  const used = new Set(words.map(({ key }) => key));
  const scripts = app.own.filter((file) => file.endsWith(".ts") && !file.startsWith(FOLDER));
  const texts = new Set(scripts.flatMap((file) => app.source(file).strings.map(({ text }) => text)));
  const isSaid = (key) => {
    const [section, name] = key.split(".");
    return used.has(key) || name === ALWAYS || (chooses.has(section) && texts.has(name));
  };
  return [...whole.words].filter(([key]) => !isSaid(key)).map(([key, { file, line }]) => fault(file, line, `${key} is said by no page`));
}

const emptyWords = ({ words }) =>
  [...words].filter(([, { text }]) => text.trim() === "").map(([key, { file, line }]) => fault(file, line, `${key} is empty`));

const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join(" ");

function strayWords({ words }, whole) {
  return [...words].flatMap(([key, { file, text, line }]) => {
    const other = whole.words.get(key);
    if (!other) return [fault(file, line, `${key} is not in ${whole.file}`)];
    if (places(text) !== places(other.text)) return [fault(file, line, `${key} has not the {places} of ${whole.file}`)];
    return [];
  });
}

function untranslated({ file, words, fallback }, whole) {
  const waits = (key) => fallback.has(key) || fallback.has(key.split(".")[0]);
  return [...whole.words.keys()]
    .filter((key) => !words.has(key) && !waits(key))
    .map((key) => fault(file, 1, `${key} is neither translated nor in the fallback list`));
}

function staleFallbacks({ file, words, fallback }, whole) {
  const under = (name, keys) => [...keys].filter((key) => key === name || key.startsWith(`${name}.`));
  return [...fallback].flatMap(([name, line]) => {
    if (under(name, whole.words.keys()).length === 0) return [fault(file, line, `the fallback list names ${name}, which is not in ${whole.file}`)];
    const done = under(name, words.keys());
    return done.map((key) => fault(file, line, `${key} is translated and still in the fallback list`));
  });
}
