/** app.json, the pages' JSON, project.config.json and sitemap.json hold known keys in known forms. */

import { readFileSync } from "node:fs";

import { fault } from "./app.mjs";
import { complaints } from "./schema.mjs";

const schema = (name) =>
  JSON.parse(readFileSync(new URL(`schemas/${name}`, import.meta.url), "utf8"));

const WHOLE = ["app.json", "project.config.json", "sitemap.json"];
const SCHEMAS = new Map(WHOLE.map((file) => [file, schema(file)]));
const UNIT = schema("page.json");

export function badConfigs(app) {
  const absent = WHOLE.filter((file) => !app.has.has(file));
  const written = app.own.filter((file) => SCHEMAS.has(file) || isUnit(app, file));
  return [
    ...absent.map((file) => fault(file, 1, "the file is missing")),
    ...written.flatMap((file) => judged(app, file)),
    ...badTabs(app),
  ];
}

const isUnit = (app, file) => file.endsWith(".json") && app.has.has(file.replace(/json$/, "wxml"));

function judged(app, file) {
  const { value, line, broken } = app.json(file);
  if (broken.length > 0) return broken.map((one) => fault(file, one.line, one.text));
  return complaints(SCHEMAS.get(file) ?? UNIT, value).map(({ path, text }) =>
    fault(file, line(path), text),
  );
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
