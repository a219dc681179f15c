// Style sheets: inlines imports, replaces rpx and vh by variables, scopes tags and classes.
//
// A page's sheet is wrapped in @scope, because here all pages share one document; in WeChat they do
// not.

import { beside, foreign } from "./disk.mjs";
import { keepToPackages } from "./parts.mjs";
import { CompileError } from "./problem.mjs";

/** @typedef {import("./disk.mjs").Disk} Disk */

/** @typedef {import("./walk.mjs").Program} Program */

/** An import or a comment; imports inside comments are skipped this way. */
const IMPORT = /\/\*[\s\S]*?\*\/|@import\s+(?:url\(\s*)?(['"]?)([^'")\s;]+)\1\s*\)?\s*;?/g;
/** An address in a declaration's value, without its quotation marks. */
const ADDRESS = /\burl\(\s*(?:"([^"]*)"|'([^']*)'|([^"')\s]*))\s*\)/gi;
const FAR = /^(?:data:|https?:|\/\/|#|$)/i;
const LENGTH = /(?<![\w#.-])(-?\d*\.?\d+)(rpx|vh)\b/g;
const FONT_FACE = /@font-face\s*\{[^}]*\}/g;
/** Marks a class of `:host()`, which belongs to another scope. */
const HOST_CLASS = Symbol("host class");

/**
 * Sheets by path ("app" is app.wxss), and WeChat's warnings.
 * @param {Disk} disk @param {Program} program @param {import("./cache.mjs").Cache} cache
 */
export async function sheets(disk, program, cache) {
  /** @type {Record<string, string>} */
  const done = {};
  /** @type {string[]} */
  const warnings = [];
  const app = /** @type {import("./walk.mjs").Unit} */ ({ path: "app", page: false });
  for (const unit of [app, ...program.units.values()]) {
    const made = await sheet(disk, unit, cache);
    done[unit.path] = made.css;
    warnings.push(...made.warnings);
  }
  return { sheets: done, warnings };
}

/** @param {Disk} disk @param {import("./walk.mjs").Unit} unit @param {import("./cache.mjs").Cache} cache @returns {Promise<{ css: string, warnings: string[] }>} */
async function sheet(disk, unit, cache) {
  const { path, scope, page } = unit;
  const text = inlined(disk, `${path}.wxss`, new Set());
  if (!text.trim()) return { css: "", warnings: [] };
  const source = [path, scope, page, text].join("\n");
  return JSON.parse(await cache.through("sheet", source, async () => {
    const before = disk.warnings.length;
    const css = await forWeb(disk, text, unit);
    return JSON.stringify({ css: page ? `@scope ([data-page="${path}"]) {\n${css}\n}` : css, warnings: disk.warnings.splice(before) });
  }));
}

/** @param {Disk} disk @param {string} file @param {Set<string>} seen */
function inlined(disk, file, seen) {
  if (seen.has(file) || !disk.has(file)) return "";
  seen.add(file);
  // Third-party fonts would be fetched from a third party's address.
  const text = foreign(file) ? disk.read(file).replace(FONT_FACE, "") : disk.read(file);
  return text.replace(IMPORT, (all, _quote, reference) => {
    if (reference === undefined) return all;
    const target = beside(file, reference);
    if (!disk.has(target) && !foreign(file)) throw new CompileError(file, 0, `@import ${reference} is not found`);
    keepToPackages(disk, file, reference, target);
    return inlined(disk, target, seen);
  });
}

/** Lengths that depend on the phone: rpx on its width, vh on the height of a page. @param {string} value */
export const lengths = (value) => value.replace(LENGTH, (_all, number, unit) => `calc(${number} * var(--${unit}))`);

/** @param {Disk} disk @param {string} text @param {import("./walk.mjs").Unit} unit */
async function forWeb(disk, text, { path, scope, page }) {
  // Loaded only when a sheet changed.
  const [{ default: postcss }, { default: selectorParser }] = await Promise.all([import("postcss"), import("postcss-selector-parser")]);
  const tree = parsed(postcss, text, path);
  const selectors = selectorParser((root) => scopeSelectors(selectorParser, root, scope));
  const inComponent = !page && path !== "app";
  const judge = selectorParser((root) => judgeSelectors(root, inComponent));
  tree.walkRules((rule) => {
    const parent = /** @type {any} */ (rule.parent);
    if (parent?.type === "atrule" && parent.name.endsWith("keyframes")) return;
    const line = rule.source?.start?.line ?? 0;
    for (const { words, refused } of judge.transformSync(rule.selector)) {
      if (refused) throw new CompileError(`${path}.wxss`, line, words);
      disk.complain(`${path}.wxss`, line, words);
    }
    rule.selector = selectors.processSync(rule.selector);
  });
  tree.walkDecls((declaration) => {
    const local = [...declaration.value.matchAll(ADDRESS)].map(([, one, two, bare]) => one ?? two ?? bare ?? "").find((address) => !FAR.test(address));
    if (local !== undefined) disk.complain(`${path}.wxss`, declaration.source?.start?.line ?? 0, `a style sheet cannot use a local file: ${local}`);
    declaration.value = lengths(declaration.value);
  });
  return tree.toString();
}

/** @param {import("postcss").Postcss} postcss @param {string} text @param {string} path */
function parsed(postcss, text, path) {
  try {
    return postcss.parse(text);
  } catch (trouble) {
    const fault = /** @type {any} */ (trouble);
    throw new CompileError(`${path}.wxss`, fault.line ?? 0, fault.reason ?? String(trouble));
  }
}

/** Whether a name is an argument of `:nth-child(odd)` and the like, and so no tag. @param {import("postcss-selector-parser").Node} tag */
function counted(tag) {
  const around = tag.parent?.parent;
  return around?.type === "pseudo" && around.value.startsWith(":nth-");
}

/** Selectors beyond the six in WeChat's list that work the same on every phone. */
const PSEUDO = /^(?:::?(?:before|after)|:host|:(?:first|last|only)-child|:nth-child|:not|:empty)$/;

/**
 * Selectors that WeChat's compiler refuses, and those that it warns of or does not document.
 * Sources: WeChat's guides WXSS, 选择器, and 组件模板和样式, 组件样式.
 * @param {import("postcss-selector-parser").Root} root @param {boolean} inComponent
 */
function judgeSelectors(root, inComponent) {
  /** @type {{ words: string, refused: boolean }[]} */
  const found = [];
  const say = (/** @type {string} */ words, refused = false) => void found.push({ words, refused });
  root.walk((node) => {
    if (node.type === "universal") say("WeChat's style sheets know no *", true);
    else if (node.type === "pseudo" && !PSEUDO.test(node.value)) say(`${node.value} is not among WeChat's selectors`);
    else if (node.type === "attribute") say("attribute selectors are not among WeChat's");
    else if (inComponent && node.type === "id") say("a component's style sheet has no id selectors");
    else if (inComponent && node.type === "tag" && !counted(node)) say("a component's style sheet has no tag selectors");
  });
  return found;
}

/**
 * @param {typeof import("postcss-selector-parser")} parser
 * @param {import("postcss-selector-parser").Root} root @param {string | undefined} scope
 */
function scopeSelectors(parser, root, scope) {
  root.walkTags((tag) => {
    if (!counted(tag)) tag.value = `wx-${tag.value}`;
  });
  root.walkPseudos((pseudo) => {
    if (pseudo.value === ":host") pseudo.replaceWith(...hostSelectors(parser, pseudo, scope ?? ""));
  });
  if (scope === undefined) return;
  root.walkClasses((name) => {
    if (!(HOST_CLASS in name)) name.value = `${scope}--${name.value}`;
  });
}

/**
 * `:host` is the component's own node; `:host(.x)` is that node with a class. The class was set by
 * the component's user, whose scope is unknown here, so any scope matches.
 * @param {typeof import("postcss-selector-parser")} parser
 * @param {import("postcss-selector-parser").Pseudo} pseudo @param {string} scope
 */
function hostSelectors(parser, pseudo, scope) {
  const attribute = (/** @type {string} */ name, /** @type {any} */ operator, /** @type {string} */ value) => {
    const made = parser.attribute({ attribute: name, operator, value, quoteMark: '"', raws: {} });
    made.setValue(value, { quoteMark: '"' });
    return made;
  };
  /** @type {any[]} */
  const nodes = [attribute("wx-host", "=", scope)];
  pseudo.walkClasses(({ value }) => {
    const plain = Object.assign(parser.className({ value }), { [HOST_CLASS]: true });
    const options = [[plain], [attribute("class", "$=", `--${value}`)], [attribute("class", "*=", `--${value} `)]];
    nodes.push(parser.pseudo({ value: ":is", nodes: options.map((option) => parser.selector({ value: "", nodes: option })) }));
  });
  return nodes;
}
