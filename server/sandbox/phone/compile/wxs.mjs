// WXS is nearly JavaScript: there `value.constructor` is the type's name.

const CONSTRUCTOR = /\.constructor\b(?!\?)/g;
const INLINE = /(<wxs\b[^>]*>)([\s\S]*?)(<\/wxs>)/g;

/** A .wxs file as a browser can run it. @param {string} source */
export const wxsForWeb = (source) => source.replace(CONSTRUCTOR, ".constructor?.name");

/** A template whose inline scripts a browser can run. @param {string} source */
export const inlineWxsForWeb = (source) =>
  source.replace(INLINE, (_all, open, body, close) => open + wxsForWeb(body) + close);
