/** One app folder, read once: its files, and the pages and components in its JSON. */

import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, posix } from "node:path";

import { json } from "./json.mjs";
import { source } from "./source.mjs";
import { tags } from "./wxml.mjs";

export const THIRD_PARTY = "miniprogram_npm/";
/** Where WeChat looks for a custom tab bar. */
export const TAB_BAR = "custom-tab-bar/index";

/** One fault at one place. */
export const fault = (file, line, text) => ({ file, line, text });

export class App {
  /**
   * @param {string} root the folder with app.json
   * @param {Map<string, string>} theirs third-party files of the package
   * @param {{has: (file: string) => boolean}} disk answers whether a third-party file exists
   */
  constructor(root, theirs, disk) {
    this.root = root;
    this.disk = disk;
    this.theirs = theirs;
    this.files = [...listed(root, ""), ...theirs.keys()].sort();
    this.has = new Set(this.files);
    this.kept = new Map();
    this.config = this.json("app.json");
    this.packages = (this.config.value.subPackages ?? []).map((part) => ({
      root: slashless(part.root),
      pages: (part.pages ?? []).map((page) => `${slashless(part.root)}/${page}`),
    }));
    this.pages = [...(this.config.value.pages ?? []), ...this.packages.flatMap((p) => p.pages)];
  }

  /** Our own files, without third-party ones. */
  get own() {
    return this.files.filter((file) => !file.startsWith(THIRD_PARTY));
  }

  text(file) {
    const read = () => this.theirs.get(file) ?? readFileSync(join(this.root, file), "utf8");
    return this.once(`text:${file}`, read);
  }

  size(file) {
    const text = this.theirs.get(file);
    return text === undefined ? statSync(join(this.root, file)).size : Buffer.byteLength(text);
  }

  lines(file) {
    return this.text(file).split("\n").length - (this.text(file).endsWith("\n") ? 1 : 0);
  }

  /** A JSON file with the positions of its parts; an absent file is empty. */
  json(file) {
    return this.once(`json:${file}`, () => json(file, this.has.has(file) ? this.text(file) : "{}"));
  }

  source(file) {
    return this.once(`ts:${file}`, () => source(file, this.text(file)));
  }

  /** The tags of a template and of its imports, each with its file. */
  tags(file) {
    return this.once(`tags:${file}`, () => {
      const own = tags(this.text(file)).map((tag) => ({ ...tag, file }));
      const taken = own.filter((tag) => tag.name === "import" || tag.name === "include");
      const others = taken.map((tag) => this.near(file, attribute(tag, "src") ?? ""));
      return [...own, ...others.filter((f) => this.has.has(f)).flatMap((f) => this.tags(f))];
    });
  }

  /** Resolves a reference in `file` to a path inside the app. */
  near(file, reference) {
    if (reference.startsWith("/")) return posix.normalize(reference.slice(1));
    return posix.normalize(posix.join(dirname(file), reference));
  }

  /** Resolves a usingComponents entry of `file` to the component's path without extension. */
  component(file, reference) {
    const near = this.near(file, reference);
    const npm = THIRD_PARTY + reference;
    const places = [near, `${near}/index`, npm, `${npm}/index`];
    return places.find((place) => this.disk.has(`${place}.json`)) ?? null;
  }

  /** Whether the app has a custom tab bar. */
  get drawsTabs() {
    return this.config.value.tabBar?.custom === true;
  }

  /**
   * Pages, the custom tab bar, and the components reachable from them, as paths without extension.
   */
  units() {
    return this.once("units", () => {
      const found = new Map();
      const waiting = ["app", ...this.pages, ...(this.drawsTabs ? [TAB_BAR] : [])];
      for (const path of waiting) {
        if (found.has(path) || path.startsWith(THIRD_PARTY)) continue;
        const using = usingComponents(this.json(`${path}.json`).value);
        found.set(path, { path, page: this.pages.includes(path), using });
        const named = Object.values(using).map((one) => this.component(`${path}.json`, one));
        waiting.push(...named.filter((one) => one !== null));
      }
      return [...found.values()];
    });
  }

  once(key, make) {
    if (!this.kept.has(key)) this.kept.set(key, make());
    return this.kept.get(key);
  }
}

export const attribute = (tag, name) => tag.attributes.find((one) => one.name === name)?.value;

/** Used code of npm packages is part of the package anyway, wherever it is stored. */
const LEFT_OUT = new Set(["node_modules", "miniprogram_npm"]);

const slashless = (path) => path.replace(/^\/|\/$/g, "");

const usingComponents = (value) => ({ ...value.usingComponents });

function listed(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.has(path) ? [] : listed(root, path);
    return [path];
  });
}
