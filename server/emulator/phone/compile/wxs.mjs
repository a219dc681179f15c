// Converts WXS to JavaScript. In WXS `value.constructor` is the type's name, and `require` includes
// the extension, which the templates' own loader does not know.

const CONSTRUCTOR = /\.constructor\b(?!\?)/g;
const ENDING = /(\brequire\(\s*(['"])[^'"]+?)\.wxs(\2\s*\))/g;
const INLINE = /(<wxs\b[^>]*(?<!\/)>)([\s\S]*?)(<\/wxs>)/g;

/** Converts a .wxs file so that a browser can run it. @param {string} source */
export const wxsForWeb = (source) =>
  source.replace(CONSTRUCTOR, ".constructor?.name").replace(ENDING, "$1$3");

/** Converts a template's inline scripts so that a browser can run them. @param {string} source */
export const inlineWxsForWeb = (source) =>
  source.replace(INLINE, (_all, open, body, close) => open + wxsForWeb(body) + close);

/** The inline scripts of a template, each with the line before it. @param {string} source */
export const inlineWxs = (source) =>
  [...source.matchAll(INLINE)].map(({ index, 1: open = "", 2: text = "" }) => ({ text, before: source.slice(0, index + open.length).split("\n").length - 1 }));

const MODULE = /<wxs\b([^>]*?)(?:\/>|>([\s\S]*?)<\/wxs>)/g;
const NAME = /\bmodule\s*=\s*["']([\w$]+)["']/;
const SOURCE = /\bsrc\s*=\s*["']([^"']+)["']/;
const RESPONDER = /\s((?:capture-)?(?:mut-)?(?:bind|catch)[\w:-]*|change:[\w-]+)\s*=\s*(["'])\{\{\s*([\w$]+)\.([\w$]+)\s*\}\}\2/g;

/**
 * Finds bindings of events or property changes to WXS functions that need what this phone does not
 * pass: the component instance, or the changes. Functions of the event alone do run, but this phone
 * does not stop propagation for them.
 * @param {string} text a template
 * @param {string} path its path, without extension
 * @param {(reference: string) => string} read returns a script's source
 */
export function respondersOf(text, path, read) {
  const modules = new Map();
  for (const [, attributes = "", body] of text.matchAll(MODULE)) {
    const [name, source] = [NAME, SOURCE].map((part) => part.exec(attributes)?.[1]);
    if (name) modules.set(name, source ? read(source) : (body ?? ""));
  }
  return [...text.matchAll(RESPONDER)]
    .filter(([, attribute = "", , module, name = ""]) => modules.has(module) && (attribute.startsWith("change:") || !ofEventAlone(modules.get(module), name)))
    .map(({ index, 1: attribute, 3: module, 4: name }) => {
      const line = text.slice(0, index + 1).split("\n").length;
      return `${path}.wxml:${line}: WXS event responder ${attribute}="{{${module}.${name}}}"`;
    });
}

/** Whether a script's function takes only the event. @param {string} source @param {string} name */
function ofEventAlone(source, name) {
  const written = new RegExp(`\\bfunction\\s+${name}\\s*\\(([^)]*)\\)|\\b${name}\\s*[:=]\\s*function\\b[^(]*\\(([^)]*)\\)`).exec(source);
  return written !== null && !(written[1] ?? written[2] ?? "").includes(",");
}
