// Finds every used page and component from app.json, with the path of each component resolved.

import { beside, foreign, tidy } from "./disk.mjs";
import { keepToPackages } from "./parts.mjs";
import { CompileError, lineOf } from "./problem.mjs";

/** @typedef {import("./disk.mjs").Disk} Disk */

/**
 * @typedef {{ path: string, page: boolean, json: Record<string, any>, scope: string | undefined }} Unit
 * @typedef {{ app: Record<string, any>, units: Map<string, Unit> }} Program
 */

const TAB_BAR = "custom-tab-bar/index";
const SHARED = new Set(["shared", "page-shared"]);

/** Every page of app.json, main package first. @param {Record<string, any>} app */
export function pagesOf(app) {
  const packages = app.subPackages ?? app.subpackages ?? [];
  return [...(app.pages ?? []), ...packages.flatMap((/** @type {any} */ one) => one.pages.map((/** @type {string} */ page) => tidy(`${one.root}/${page}`)))];
}

/** The app with all its pages and components. @param {Disk} disk @returns {Program} */
export function walk(disk) {
  const app = disk.json("app.json");
  /** @type {Map<string, Unit>} */
  const units = new Map();
  for (const page of pagesOf(app)) {
    if (!disk.has(`${page}.wxml`))
      throw new CompileError("app.json", lineOf(disk.read("app.json"), lastPart(page)), `page ${page} has no ${page}.wxml`);
    add(disk, app, units, page, true);
  }
  if (app.tabBar?.custom) addTabBar(disk, app, units);
  return { app, units };
}

/** The app's custom tab bar. @param {Disk} disk @param {Record<string, any>} app @param {Map<string, Unit>} units */
function addTabBar(disk, app, units) {
  if (!disk.has(`${TAB_BAR}.wxml`)) return disk.complain("app.json", lineOf(disk.read("app.json"), '"custom"'), `a custom tab bar has no ${TAB_BAR}.wxml`);
  add(disk, app, units, TAB_BAR, false);
}

/** @param {string} page */
const lastPart = (page) => page.split("/").slice(-2).join("/");

/** @param {Disk} disk @param {Record<string, any>} app @param {Map<string, Unit>} units @param {string} path @param {boolean} page */
function add(disk, app, units, path, page) {
  if (units.has(path)) return;
  const json = page && !disk.has(`${path}.json`) ? {} : { ...disk.json(`${path}.json`) };
  if (!page && json.component !== true)
    throw new CompileError(`${path}.json`, 0, 'a component says "component": true');
  units.set(path, { path, page, json, scope: scopeOf(json, page, units.size) });
  const everywhere = foreign(path) ? {} : (app.usingComponents ?? {});
  json.usingComponents = {
    ...resolved(disk, app, units, everywhere, "app"),
    ...resolved(disk, app, units, json.usingComponents ?? {}, path, json.componentPlaceholder),
  };
  for (const generic of Object.values(json.componentGenerics ?? {})) {
    const fallback = /** @type {any} */ (generic).default;
    if (fallback === undefined) continue;
    const [target] = Object.values(resolved(disk, app, units, { fallback }, path));
    /** @type {any} */ (generic).default = target;
  }
}

/** @param {Disk} disk @param {Record<string, any>} app @param {Map<string, Unit>} units @param {Record<string, string>} using @param {string} from @param {Record<string, string>} [placeholders] */
function resolved(disk, app, units, using, from, placeholders = {}) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const [tag, reference] of Object.entries(using)) {
    const path = componentAt(disk, reference, from);
    if (path === undefined) {
      // WeChat renders nothing for such a component.
      disk.complain(`${from}.json`, lineOf(disk.read(`${from}.json`), `"${reference}"`), `component <${tag}> is not at ${reference}`);
      continue;
    }
    if (!(tag in placeholders)) keepToPackages(disk, `${from}.json`, reference, path);
    found[tag] = `/${path}`;
    add(disk, app, units, path, false);
  }
  return found;
}

/** @param {Disk} disk @param {string} reference @param {string} from */
function componentAt(disk, reference, from) {
  const near = beside(from, reference);
  const places = [near, `${near}/index`];
  if (!/^[./]/.test(reference)) places.push(`miniprogram_npm/${reference}`, `miniprogram_npm/${reference}/index`);
  return places.find((place) => disk.has(`${place}.json`) && disk.has(`${place}.wxml`));
}

/** @param {Record<string, any>} json @param {boolean} page @param {number} number */
function scopeOf(json, page, number) {
  const isolation = json.styleIsolation ?? (json.component && !page ? "isolated" : "shared");
  return SHARED.has(isolation) || page ? undefined : `s${number}`;
}
