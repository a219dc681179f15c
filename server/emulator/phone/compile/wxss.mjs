// Style sheets: imports inlined, rpx and vh made variables, tags and classes given their scopes.
//
// A page's sheet is wrapped in @scope, for all pages share one document here and in WeChat none.

import { beside, foreign } from "./disk.mjs";
import { keepToPackages } from "./parts.mjs";
import { CompileError } from "./problem.mjs";

/** @typedef {import("./disk.mjs").Disk} Disk */

/** @typedef {import("./walk.mjs").Program} Program */

const IMPORT = /@import\s+(?:url\()?['"]([^'"]+)['"]\)?\s*;?/g;
const LENGTH = /(?<![\w#.-])(-?\d*\.?\d+)(rpx|vh)\b/g;
const FONT_FACE = /@font-face\s*\{[^}]*\}/g;
/** Marks a class of `:host()`, which belongs to somebody else's scope. */
const HOST_CLASS = Symbol("host class");
const KEYFRAME = /^(from|to|\d)/;

/** Sheets by path; "app" is app.wxss. @param {Disk} disk @param {Program} program @param {import("./cache.mjs").Cache} cache */
export async function sheets(disk, program, cache) {
  /** @type {Record<string, string>} */
  const done = { app: await sheet(disk, "app", undefined, false, cache) };
  for (const { path, scope, page } of program.units.values())
    done[path] = await sheet(disk, path, scope, page, cache);
  return done;
}

/** @param {Disk} disk @param {string} path @param {string | undefined} scope @param {boolean} page @param {import("./cache.mjs").Cache} cache */
async function sheet(disk, path, scope, page, cache) {
  const text = inlined(disk, `${path}.wxss`, new Set());
  if (!text.trim()) return "";
  return cache.through("sheet", [path, scope, page, text].join("\n"), async () => {
    const css = await forWeb(text, path, scope);
    return page ? `@scope ([data-page="${path}"]) {\n${css}\n}` : css;
  });
}

/** @param {Disk} disk @param {string} file @param {Set<string>} seen */
function inlined(disk, file, seen) {
  if (seen.has(file) || !disk.has(file)) return "";
  seen.add(file);
  // Fonts of third parties would be fetched from an address of theirs.
  const text = foreign(file) ? disk.read(file).replace(FONT_FACE, "") : disk.read(file);
  return text.replace(IMPORT, (_all, reference) => {
    const target = beside(file, reference);
    if (!disk.has(target) && !foreign(file)) throw new CompileError(file, 0, `@import ${reference} is not found`);
    keepToPackages(disk, file, reference, target);
    return inlined(disk, target, seen);
  });
}

/** Lengths that depend on the phone: rpx by its width, vh by what a page has for itself. @param {string} value */
export const lengths = (value) => value.replace(LENGTH, (_all, number, unit) => `calc(${number} * var(--${unit}))`);

/** @param {string} text @param {string} path @param {string | undefined} scope */
async function forWeb(text, path, scope) {
  // Loaded only where a sheet changed.
  const [{ default: postcss }, { default: selectorParser }] = await Promise.all([import("postcss"), import("postcss-selector-parser")]);
  const tree = parsed(postcss, text, path);
  const selectors = selectorParser((root) => scopeSelectors(selectorParser, root, scope));
  tree.walkRules((rule) => {
    const parent = /** @type {any} */ (rule.parent);
    if (parent?.type === "atrule" && parent.name.endsWith("keyframes")) return;
    rule.selector = selectors.processSync(rule.selector);
  });
  tree.walkDecls((declaration) => {
    if (/url\(\s*['"]?(?!data:|https?:|['"]?\/\/)/.test(declaration.value) && !foreign(path))
      throw new CompileError(`${path}.wxss`, declaration.source?.start?.line ?? 0, "a style sheet cannot use a local file");
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

/**
 * @param {typeof import("postcss-selector-parser")} parser
 * @param {import("postcss-selector-parser").Root} root @param {string | undefined} scope
 */
function scopeSelectors(parser, root, scope) {
  root.walkTags((tag) => {
    if (!KEYFRAME.test(tag.value)) tag.value = `wx-${tag.value}`;
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
 * `:host` is the component's own node; `:host(.x)` is it while it has a class. That class was given
 * by whoever uses the component, so its scope is not known here: any is taken.
 * @param {typeof import("postcss-selector-parser")} parser
 * @param {import("postcss-selector-parser").Pseudo} pseudo @param {string} scope
 */
function hostSelectors(parser, pseudo, scope) {
  const attribute = (/** @type {string} */ name, /** @type {any} */ operator, /** @type {string} */ value) => {
    const made = parser.attribute({ attribute: name, operator, value, raws: {} });
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
