/** Every tag is implemented by the phone, or a component that the page registers. */

import { attribute, fault } from "./app.mjs";

const SYNTAX = new Set(["block", "import", "include", "slot", "template", "wxs"]);

export function unknownTags(app, { builtIns }) {
  const shared = Object.keys(app.units()[0].using);
  return app.units().flatMap(({ path, using }) => {
    if (!app.has.has(`${path}.wxml`)) return [];
    const generic = Object.keys(app.json(`${path}.json`).value.componentGenerics ?? {});
    const known = new Set([...SYNTAX, ...builtIns, ...shared, ...generic, ...Object.keys(using)]);
    return app
      .tags(`${path}.wxml`)
      .filter((tag) => !known.has(tag.name))
      .map((tag) =>
        fault(tag.file, tag.line, `<${tag.name}> is no built-in and no component of ${path}`),
      );
  });
}

/** Every registered component exists and is used; every component is reachable from a page. */
export function deadComponents(app) {
  const units = app.units();
  return [...units.flatMap((unit) => badlyNamed(app, unit)), ...unreached(app, units)];
}

function badlyNamed(app, { path, using }) {
  const file = `${path}.json`;
  const line = (name) => app.json(file).line(["usingComponents", name]);
  const used = path === "app" ? everywhere(app) : named(app, path);
  return Object.entries(using).flatMap(([name, reference]) => {
    if (app.component(file, reference) === null)
      return [fault(file, line(name), `component "${reference}" does not exist`)];
    return used.has(name) ? [] : [fault(file, line(name), `component "${name}" is not used`)];
  });
}

const everywhere = (app) => new Set(app.units().flatMap(({ path }) => [...named(app, path)]));

/** The tag names of a template, and those it passes to components as generics. */
function named(app, path) {
  if (!app.has.has(`${path}.wxml`)) return new Set();
  return new Set(
    app
      .tags(`${path}.wxml`)
      .flatMap((tag) => [
        tag.name,
        ...tag.attributes.filter((one) => one.name.startsWith("generic:")).map((one) => one.value),
      ]),
  );
}

function unreached(app, units) {
  const reached = new Set(units.map((unit) => unit.path));
  return app.own
    .filter((file) => file.endsWith(".json") && app.json(file).value.component === true)
    .map((file) => file.slice(0, -".json".length))
    .filter((path) => !reached.has(path))
    .map((path) => fault(`${path}.json`, 1, "no page reaches this component"));
}

/** Finds nodes in a `text` that WeChat does not show; it shows only characters and nested `text`s. */
export function hiddenInText(app) {
  const seen = new Set(["text", ...SYNTAX]);
  return app.own
    .filter((file) => file.endsWith(".wxml"))
    .flatMap((file) => app.tags(file).filter((tag) => tag.file === file && tag.within.includes("text") && !seen.has(tag.name)))
    .map((tag) => fault(tag.file, tag.line, `<${tag.name}> is not shown inside of <text>`));
}

/** Requires wx:key in every loop. */
export function loopsWithoutKey(app) {
  return app.units().flatMap(({ path }) =>
    (app.has.has(`${path}.wxml`) ? app.tags(`${path}.wxml`) : [])
      .filter((tag) => attribute(tag, "wx:for") !== undefined)
      .filter((tag) => attribute(tag, "wx:key") === undefined)
      .map((tag) => fault(tag.file, tag.line, `<${tag.name}> has wx:for without wx:key`)),
  );
}
