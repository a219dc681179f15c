// Finds the files of an app: in its own folder, or in npm packages under miniprogram_npm/. A
// package missing there is read from node_modules.

import fs from "node:fs";
import path from "node:path";
import { CompileError } from "./problem.mjs";

const NPM = /^miniprogram_npm\/((?:@[^/]+\/)?[^/]+)(\/.*)?$/;

/** Normalises a path inside the app, without leading slash. @param {string} name */
export const tidy = (name) => path.posix.normalize(name).replace(/^\/+/, "");

/** Resolves a reference to a path. @param {string} from @param {string} reference */
export const beside = (from, reference) =>
  reference.startsWith("/") ? tidy(reference) : tidy(path.posix.join(path.posix.dirname(from), reference));

/** Reads the files of one app, each once, and remembers which were read. */
export class Disk {
  /**
   * @param {string} root @param {string} modules the node_modules folder
   * @param {boolean} [strict] whether what WeChat only warns of is an error in the app's own files
   */
  constructor(root, modules, strict = false) {
    this.root = root;
    this.modules = modules;
    this.strict = strict;
    /** WeChat's warnings, one per line. @type {string[]} */
    this.warnings = [];
    /** @type {Map<string, string>} */
    this.packages = new Map();
    /** @type {Map<string, string>} */
    this.texts = new Map();
  }

  /** @param {string} name */
  place(name) {
    const own = path.join(this.root, name);
    const match = NPM.exec(name);
    if (!match || fs.existsSync(path.join(this.root, "miniprogram_npm", match[1]))) return own;
    const [folder, rest] = [this._package(match[1]), match[2] ?? ""];
    const packed = fs.existsSync(path.join(folder, "miniprogram_npm"));
    // An ordinary package's own dependencies are in its node_modules.
    return path.join(folder, packed ? rest : rest.replaceAll("/miniprogram_npm/", "/node_modules/"));
  }

  /** A package's entry script, without extension. @param {string} name the package's path */
  entry(name) {
    const facts = path.join(this.place(name), "package.json");
    if (!foreign(name) || !fs.existsSync(facts)) return undefined;
    const main = JSON.parse(fs.readFileSync(facts, "utf8")).main ?? "index.js";
    return tidy(`${name}/${main}`).replace(/\.(?:[cm]?js|ts)$/, "");
  }

  /** @param {string} name */
  has(name) {
    return this.texts.has(name) || isFile(this.place(name));
  }

  /** @param {string} name */
  read(name) {
    let text = this.texts.get(name);
    if (text === undefined) {
      text = fs.readFileSync(this.place(name), "utf8");
      this.texts.set(name, text);
    }
    return text;
  }

  /** @param {string} name @param {string} [asked] the file and reason to name when it is missing */
  json(name, asked) {
    if (!this.has(name)) throw new CompileError(asked ?? name, 0, `${name} is missing`);
    try {
      return JSON.parse(this.read(name));
    } catch (trouble) {
      throw new CompileError(name, 0, `not JSON: ${/** @type {Error} */ (trouble).message}`);
    }
  }

  /**
   * Records a warning of WeChat; warnings about npm packages are ignored.
   * @param {string} file @param {number} line counted from 1; 0 when unknown @param {string} words
   */
  complain(file, line, words) {
    if (foreign(file)) return;
    const said = new CompileError(file, line, words);
    if (this.strict) throw said;
    this.warnings.push(said.message);
  }

  /** @param {string} name */
  _package(name) {
    let folder = this.packages.get(name);
    if (folder === undefined) {
      const places = [this.root, path.dirname(this.root)].map((one) => path.join(one, "node_modules", name));
      const home = places.find((one) => fs.existsSync(one)) ?? path.join(this.modules, name);
      const facts = path.join(home, "package.json");
      const said = fs.existsSync(facts) ? JSON.parse(fs.readFileSync(facts, "utf8")).miniprogram : undefined;
      const made = path.join(home, said ?? "miniprogram_dist");
      // A package that was not built for mini-programs is bundled from its own entry.
      folder = said === undefined && !fs.existsSync(made) ? home : made;
      this.packages.set(name, folder);
    }
    return folder;
  }
}

/** Extensions of scripts; npm packages that were not built for mini-programs have more of them. */
export const SCRIPTS = [".ts", ".js"];
const PACKAGED = [...SCRIPTS, ".cjs", ".mjs", ".json"];

/** @param {string} name */
export const endingsOf = (name) => (foreign(name) ? PACKAGED : SCRIPTS);

/** False, without an error, also for a path below a file. @param {string} place */
const isFile = (place) => fs.existsSync(place) && fs.statSync(place).isFile();

/** Whether a path is third-party code. @param {string} name */
export const foreign = (name) => name.startsWith("miniprogram_npm/");
