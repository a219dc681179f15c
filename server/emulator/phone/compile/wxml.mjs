// Compiles templates and their scripts as one group. Torn tags and the compiler's errors throw; its other
// messages are recorded as warnings, which --strict makes errors.

import { createRequire } from "node:module";
import { beside, tidy } from "./disk.mjs";
import { keepToPackages } from "./parts.mjs";
import { CompileError, lineOf } from "./problem.mjs";
import { NOT_HERE, tagsOf } from "./tags.mjs";
import { foreignToWxs } from "./wxs-language.mjs";
import { inlineWxs, inlineWxsForWeb, respondersOf, wxsForWeb } from "./wxs.mjs";

/** @typedef {import("./disk.mjs").Disk} Disk */

/** @typedef {import("./walk.mjs").Program} Program */

const require = createRequire(import.meta.url);
const REQUIRE = /require\(\s*['"]([^'"]+)['"]\s*\)/g;
/** Missing end tags and stray end tags: this compiler only warns, WeChat's fails. */
const TORN = new Set([65543, 65567]);
// Templates of the built-in elements.
const SHELLS = { empty: "", slot: "<slot/>", track: "<h-div><slot/></h-div>" };

/**
 * All templates as one expression, the unknown tags, the features this phone lacks for them, and
 * WeChat's warnings, one per line.
 * @param {Disk} disk
 * @param {Program} program
 * @param {Set<string>} elements tags of the built-in elements
 */
export function templates(disk, program, elements) {
  const before = disk.warnings.length;
  const group = new Group(disk);
  const unknown = /** @type {Set<string>} */ (new Set());
  for (const unit of program.units.values()) {
    group.addTemplate(unit.path, unit.path);
    for (const tag of strangers(disk, group.made, unit, elements)) unknown.add(tag);
  }
  for (const [name, text] of Object.entries(SHELLS)) group.made.addTmpl(`wx-element/${name}`, text);
  const warnings = disk.warnings.splice(before);
  return { code: group.made.getTmplGenObjectGroups(), unknown: [...unknown].sort(), gaps: group.gaps.sort(), warnings };
}

/** Templates and scripts of the compiler's group, each added once with its imports. */
class Group {
  /** @param {Disk} disk */
  constructor(disk) {
    const { TmplGroup } = require("glass-easel-template-compiler");
    this.disk = disk;
    this.made = new TmplGroup();
    this.added = new Set();
    /** @type {string[]} */
    this.gaps = [];
  }

  /** @param {string} path without extension @param {string} asker the template that imports it */
  addTemplate(path, asker) {
    if (this._known(`${path}.wxml`)) return;
    const there = this.disk.has(`${path}.wxml`);
    if (!there) this.disk.complain(`${asker}.wxml`, lineOf(this.disk.read(`${asker}.wxml`), /** @type {string} */ (path.split("/").at(-1))), `${path}.wxml is missing`);
    const text = there ? this.disk.read(`${path}.wxml`) : "";
    for (const { text: script, before } of inlineWxs(text)) this._speaksWxs(`${path}.wxml`, script, before);
    check(this.disk, path, this.made.addTmpl(path, inlineWxsForWeb(text)));
    for (const next of this.made.getDirectDependencies(path)) {
      this._keep(path, tidy(next));
      this.addTemplate(tidy(next), path);
    }
    for (const next of this.made.getScriptDependencies(path)) {
      if (!this.disk.has(`${tidy(next)}.wxs`)) throw new CompileError(`${path}.wxml`, 0, `${next}.wxs is missing`);
      this._keep(path, tidy(next));
      this._addScript(tidy(next));
    }
    this.gaps.push(...respondersOf(text, path, (source) => this.disk.read(`${beside(path, source.replace(/\.wxs$/, ""))}.wxs`)));
  }

  /** @param {string} path without extension */
  _addScript(path) {
    if (this._known(`${path}.wxs`)) return;
    const source = this.disk.read(`${path}.wxs`);
    this._speaksWxs(`${path}.wxs`, source, 0);
    this.made.addScript(path, wxsForWeb(source));
    for (const [, reference] of source.matchAll(REQUIRE)) this._addScript(beside(path, reference.replace(/\.wxs$/, "")));
  }

  /** @param {string} file @param {string} script @param {number} before lines of the file before it */
  _speaksWxs(file, script, before) {
    for (const { line, words, taken } of foreignToWxs(script)) {
      if (!taken) throw new CompileError(file, line + before, words);
      this.disk.complain(file, line + before, words);
    }
  }

  /** @param {string} file */
  _known(file) {
    return this.added.has(file) || !this.added.add(file);
  }

  /** @param {string} path @param {string} next */
  _keep(path, next) {
    keepToPackages(this.disk, `${path}.wxml`, /** @type {string} */ (next.split("/").at(-1)), next);
  }
}

/** Throws on what is not a template; records the rest as warnings. @param {Disk} disk @param {string} path @param {any[]} said */
function check(disk, path, said) {
  for (const one of said ?? []) {
    if (one.isError || TORN.has(one.code)) throw new CompileError(`${path}.wxml`, one.startLine + 1, one.message);
    disk.complain(`${path}.wxml`, one.startLine + 1, one.message);
  }
}

/**
 * Tags of a component's template and its imports that are neither built in nor registered.
 * @param {Disk} disk @param {any} group @param {import("./walk.mjs").Unit} unit @param {Set<string>} elements
 */
function strangers(disk, group, unit, elements) {
  const known = new Set([...Object.keys(unit.json.usingComponents), ...Object.keys(unit.json.componentGenerics ?? {})]);
  const queue = [unit.path];
  /** @type {string[]} */
  const found = [];
  for (const path of queue) {
    for (const { tag, line } of disk.has(`${path}.wxml`) ? tagsOf(disk.read(`${path}.wxml`)) : []) {
      if (elements.has(tag) || known.has(tag)) continue;
      disk.complain(`${path}.wxml`, line, strange(tag));
      found.push(tag);
    }
    for (const next of group.getDirectDependencies(path)) if (!queue.includes(tidy(next))) queue.push(tidy(next));
  }
  return found;
}

/** @param {string} tag */
const strange = (tag) =>
  NOT_HERE.has(tag) ? `<${tag}> is one of WeChat's elements that this phone lacks` : `<${tag}> is neither built in nor in usingComponents`;
