/**
 * Every page that is named anywhere is in app.json; every page in it, and its tab bar, is complete.
 */

import { TAB_BAR, fault } from "./app.mjs";

const PARTS = ["ts", "wxml", "wxss", "json"];
const PATH = /^\/?(?:pages|packages)\/[^?#]*/;

export function missingPages(app) {
  return [...incomplete(app), ...tabBar(app), ...unlisted(app), ...untitled(app), ...app.own.flatMap((file) => unknown(app, file))];
}

function incomplete(app) {
  return app.pages.flatMap((page) =>
    PARTS.filter((part) => !app.has.has(`${page}.${part}`)).map((part) =>
      fault("app.json", lineOf(app, page), `page ${page} has no file ${page}.${part}`),
    ),
  );
}

function tabBar(app) {
  if (!app.drawsTabs) return [];
  const line = app.config.line(["tabBar", "custom"]);
  return PARTS.filter((part) => !app.has.has(`${TAB_BAR}.${part}`)).map((part) =>
    fault("app.json", line, `the custom tab bar has no file ${TAB_BAR}.${part}`),
  );
}

function lineOf(app, page) {
  const { line, value } = app.config;
  const index = (value.pages ?? []).indexOf(page);
  if (index >= 0) return line(["pages", index]);
  const part = app.packages.findIndex((one) => one.pages.includes(page));
  return line(["subPackages", part, "pages", app.packages[part].pages.indexOf(page)]);
}

/** Finds a folder that looks like a page but is not in app.json. */
function unlisted(app) {
  return app.own
    .filter((file) => /^(pages|packages)\/.*\.json$/.test(file))
    .filter((file) => app.json(file).value.component !== true)
    .map((file) => file.slice(0, -".json".length))
    .filter((path) => app.has.has(`${path}.wxml`) && !app.pages.includes(path))
    .map((path) => fault(`${path}.json`, 1, `page ${path} is not in app.json`));
}

/**
 * Requires a title in the page's JSON: a timeline single page cannot change its title by a call.
 */
function untitled(app) {
  return app.pages
    .filter((page) => app.has.has(`${page}.ts`) && app.source(`${page}.ts`).handlers.has("onShareTimeline"))
    .filter((page) => !app.json(`${page}.json`).value.navigationBarTitleText)
    .map((page) => fault(`${page}.json`, 1, "a page for the timeline has no navigationBarTitleText"));
}

function unknown(app, file) {
  return named(app, file).flatMap(({ text, line, whole }) => {
    const path = PATH.exec(text)?.[0];
    if (path === undefined) return [];
    if (!whole && !text.includes("?"))
      return [fault(file, line, `write the page's path out: "${text}…" cannot be checked`)];
    const page = path.replace(/^\//, "");
    // A picture or a sound beside the pages.
    if (/\.\w+$/.test(page)) return app.has.has(page) ? [] : [fault(file, line, `${page} is not in the package`)];
    return app.pages.includes(page) ? [] : [fault(file, line, `page ${page} is not in app.json`)];
  });
}

function named(app, file) {
  if (file.endsWith(".ts")) return app.source(file).strings;
  if (!file.endsWith(".wxml")) return [];
  const attributes = app.tags(file).flatMap((tag) => (tag.file === file ? tag.attributes : []));
  return attributes
    .filter((one) => one.name !== "src")
    .map(({ value, line }) => ({
      text: value.split("{{")[0],
      line,
      whole: !value.includes("{{"),
    }));
}
