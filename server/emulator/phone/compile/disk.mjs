// Where the files of an app lie: its own folder, and npm packages under miniprogram_npm/.
// A package that the folder does not hold is taken from node_modules.

import fs from "node:fs";
import path from "node:path";
import { CompileError } from "./problem.mjs";

const NPM = /^miniprogram_npm\/((?:@[^/]+\/)?[^/]+)(\/.*)?$/;

/** A path inside the app, without a leading slash. @param {string} name */
export const tidy = (name) => path.posix.normalize(name).replace(/^\/+/, "");

/** The path that a reference means. @param {string} from @param {string} reference */
export const beside = (from, reference) =>
  reference.startsWith("/") ? tidy(reference) : tidy(path.posix.join(path.posix.dirname(from), reference));

/** Reads the files of one app, each once, and remembers which were read. */
export class Disk {
  /**
   * @param {string} root @param {string} modules the node_modules folder
   * @param {boolean} [strict] whether what WeChat only warns of is a fault of the app's own files
   */
  constructor(root, modules, strict = false) {
    this.root = root;
    this.modules = modules;
    this.strict = strict;
    /** What WeChat would warn of, each in a line. @type {string[]} */
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
    return path.join(this._package(match[1]), match[2] ?? "");
  }

  /** @param {string} name */
  has(name) {
    return this.texts.has(name) || fs.statSync(this.place(name), { throwIfNoEntry: false })?.isFile() === true;
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
   * Says what WeChat warns of and goes on with; of npm packages nothing is said.
   * @param {string} file @param {number} line counted from 1; 0 where none can be named @param {string} words
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
      const home = path.join(this.modules, name);
      const facts = path.join(home, "package.json");
      const said = fs.existsSync(facts) ? JSON.parse(fs.readFileSync(facts, "utf8")).miniprogram : undefined;
      folder = path.join(home, said ?? "miniprogram_dist");
      this.packages.set(name, folder);
    }
    return folder;
  }
}

/** Whether a path is somebody else's code. @param {string} name */
export const foreign = (name) => name.startsWith("miniprogram_npm/");
