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
