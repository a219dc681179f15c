/**
 * app.json, the pages' JSON, project.config.json and sitemap.json have known keys of known types.
 */

import { readFileSync } from "node:fs";

import { fault } from "./app.mjs";
import { complaints } from "./schema.mjs";

const schema = (name) =>
  JSON.parse(readFileSync(new URL(`schemas/${name}`, import.meta.url), "utf8"));

const WHOLE = ["app.json", "project.config.json", "sitemap.json"];
const SCHEMAS = new Map(WHOLE.map((file) => [file, schema(file)]));
const UNIT = schema("page.json");
const TDESIGN = "miniprogram_npm/tdesign-miniprogram/";
const FRAMEWORK = "componentFramework";

export function badConfigs(app) {
  const absent = WHOLE.filter((file) => !app.has.has(file));
  const written = app.own.filter((file) => SCHEMAS.has(file) || isUnit(app, file));
  return [
    ...absent.map((file) => fault(file, 1, "the file is missing")),
    ...written.flatMap((file) => judged(app, file)),
    ...badTabs(app),
    ...restyled(app),
    ...otherFramework(app),
  ];
}

/**
 * WeChat's "style": "v2" gives every block button a width of 184 px, with a selector that outranks
 * a single class: TDesign's buttons shrink. TDesign's own guide says to omit the setting.
 */
function restyled(app) {
  if (app.config.value.style === undefined || ![...app.theirs.keys()].some((file) => file.startsWith(TDESIGN))) return [];
  const text = '"style" restyles the buttons of TDesign (a block button becomes 184 px wide): leave it out';
  return [fault("app.json", app.config.line(["style"]), text)];
}

/**
 * Naming glass-easel anywhere lets pages run on either framework, depending on WeChat's version.
 */
function otherFramework(app) {
  return app.own
    .filter((file) => file === "app.json" || isUnit(app, file))
    .filter((file) => app.json(file).value[FRAMEWORK] !== undefined)
    .map((file) => fault(file, app.json(file).line([FRAMEWORK]), `"${FRAMEWORK}" is in a grey release for pages in a web view: leave it out`));
}

const isUnit = (app, file) => file.endsWith(".json") && app.has.has(file.replace(/json$/, "wxml"));

function judged(app, file) {
  const { value, line, broken } = app.json(file);
  if (broken.length > 0) return broken.map((one) => fault(file, one.line, one.text));
  return complaints(SCHEMAS.get(file) ?? UNIT, value)
    .filter(({ path }) => path[0] !== FRAMEWORK)
    .map(({ path, text }) => fault(file, line(path), text));
}

function badTabs(app) {
  const tabs = app.config.value.tabBar?.list ?? [];
  const main = app.config.value.pages ?? [];
  return tabs
    .map((tab, index) => ({ page: tab.pagePath, index }))
    .filter(({ page }) => !main.includes(page))
    .map(({ page, index }) => {
      const line = app.config.line(["tabBar", "list", index, "pagePath"]);
      return fault("app.json", line, `tab ${page} is no page of the main package`);
    });
}
