// WXS is a separate language, close to ECMAScript 5. What it lacks is found here token by token,
// because the browser would run it. Source: WeChat's WXS 语法参考.

const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"|=>|\.\.\.|\*\*|\?\?|\?\.(?!\d)|[A-Za-z_$][\w$]*|\d[\w.]*|\S/g;
const NAME = /^[A-Za-z_$]/;
const WORDS = new Set("let const class new try catch finally throw import export async await yield with super extends instanceof in".split(" "));
const SIGNS = new Set(["=>", "...", "**", "??", "?.", "`"]);
/**
 * JavaScript objects missing in WXS, which has console, Math, JSON, Number and three functions of
 * Date.
 */
const OBJECTS = new Set("Object Array String Boolean RegExp Function Symbol Promise Map Set WeakMap WeakSet Proxy Reflect Error Intl globalThis window document wx setTimeout setInterval".split(" "));
/** After these tokens a slash starts a regular expression. */
const BEFORE_VALUE = new Set(["", "(", ",", "=", ":", "[", "!", "&", "|", "?", "{", "}", ";", "return", "case", "typeof"]);
const BEFORE_OBJECT = new Set(["(", ",", "=", ":", "[", "?", "&", "|", "return"]);

/**
 * Constructs that WeChat's reference lacks, but published components use: WeChat's compiler accepts them.
 */
const TAKEN = new Set(["default values of parameters", "short properties"]);

/**
 * The constructs that WXS does not have, with their lines; `taken` marks those WeChat accepts
 * anyway.
 * @param {string} source
 * @returns {{ line: number, words: string, taken: boolean }[]}
 */
export function foreignToWxs(source) {
  const tokens = [...source.matchAll(TOKEN)].filter(([text]) => !/^\/[/*]/.test(text));
  /** @type {{ line: number, words: string, taken: boolean }[]} */
  const found = [];
  /** @type {string[]} */
  const open = [];
  tokens.forEach(({ 0: text, index }, at) => {
    const [before, after] = [tokens[at - 1]?.[0] ?? "", tokens[at + 1]?.[0] ?? ""];
    const words = fault(text, before, after, open.at(-1) ?? "");
    if (words) found.push({ line: source.slice(0, index).split("\n").length, words: `WXS has no ${words}`, taken: TAKEN.has(words) });
    if (text === "{") open.push(BEFORE_OBJECT.has(before) ? "object" : "block");
    else if (text === "(") open.push(isHead(tokens, at) ? "head" : "(");
    else if (text === "[") open.push("[");
    else if (text === "}" || text === ")" || text === "]") open.pop();
  });
  return found;
}

/** Whether a bracket opens a function's parameters. @param {RegExpMatchArray[]} tokens @param {number} at */
const isHead = (tokens, at) => tokens[at - 1]?.[0] === "function" || tokens[at - 2]?.[0] === "function";

/** @param {string} text @param {string} before @param {string} after @param {string} inside */
function fault(text, before, after, inside) {
  const first = inside === "object" && (before === "{" || before === ",");
  if (!NAME.test(text)) return signFault(text, before, inside, first);
  if (before === "." || (first && after === ":")) return undefined;
  if (first && after === "(") return "short methods";
  if (first && (after === "," || after === "}")) return "short properties";
  return WORDS.has(text) || OBJECTS.has(text) ? text : undefined;
}

/** @param {string} text @param {string} before @param {string} inside @param {boolean} first whether a key must follow */
function signFault(text, before, inside, first) {
  if (SIGNS.has(text)) return text;
  if (text === "/" && BEFORE_VALUE.has(before)) return "regular expressions between slashes: use getRegExp";
  if (text === "=" && inside === "head") return "default values of parameters";
  if (before === "var" && (text === "{" || text === "[")) return "destructuring";
  return first && text === "[" ? "computed keys" : undefined;
}
