/** Allowed imports per layer, allowed uses of `wx`, and modules that nothing imports. */

import { fault } from "./app.mjs";

/**
 * Each layer with the layers it may import. A file of the top folder is a layer of its own name.
 */
export const FLOORS = {
  app: ["pages", "kit", "texts", "logic", "api", "platform", "config"],
  pages: ["kit", "components", "texts", "logic", "api", "platform", "config"],
  packages: ["kit", "components", "texts", "logic", "api", "platform", "config"],
  kit: ["texts", "logic", "api", "platform", "config"],
  "custom-tab-bar": ["kit", "components", "texts", "logic", "platform", "config"],
  components: ["texts", "logic", "platform", "config"],
  api: ["platform", "config"],
  platform: ["config"],
  texts: [],
  logic: [],
  config: [],
};
/** The types of the server's responses contain no code: every layer may import them as types. */
const SHAPES = "api/shapes.ts";
const WX_FILE = "platform/wx.ts";

export function upwardImports(app) {
  return sources(app).flatMap((file) =>
    app.source(file).imports.flatMap(({ from, line, typeOnly }) => {
      const target = moduleOf(app, file, from);
      if (target === null) return [fault(file, line, `import "${from}" leads to no file of ours`)];
      const [mine, other] = [floor(file), floor(target)];
      if (!(mine in FLOORS))
        return [fault(file, line, `"${mine}" is no floor of the mini-program`)];
      if (mine === other || FLOORS[mine].includes(other) || (typeOnly && target === SHAPES))
        return [];
      return [fault(file, line, `${mine} may not import ${other} ("${from}")`)];
    }),
  );
}

export function wxOutsideItsFile(app) {
  return sources(app)
    .filter((file) => file !== WX_FILE)
    .flatMap((file) =>
      app
        .source(file)
        .globals.map(({ name, line }) =>
          fault(file, line, `"${name}" is named outside of ${WX_FILE}`),
        ),
    );
}

/** Finds TypeScript files that no page or component imports, directly or indirectly. */
export function deadModules(app) {
  const reached = new Set();
  const waiting = app.units().map(({ path }) => `${path}.ts`);
  for (const file of waiting) {
    if (reached.has(file) || !app.has.has(file)) continue;
    reached.add(file);
    waiting.push(...app.source(file).imports.map(({ from }) => moduleOf(app, file, from)));
  }
  return sources(app)
    .filter((file) => !reached.has(file) && !file.endsWith(".d.ts"))
    .map((file) => fault(file, 1, "nothing imports this file"));
}

/** Resolves an import to a file; null when it is not in the app. */
export function moduleOf(app, file, from) {
  if (!from.startsWith(".") && !from.startsWith("/")) return null;
  const near = app.near(file, from);
  return [near, `${near}.ts`, `${near}/index.ts`].find((one) => app.has.has(one)) ?? null;
}

const sources = (app) => app.own.filter((file) => file.endsWith(".ts"));

const floor = (file) => (file.includes("/") ? file.split("/")[0] : file.replace(/\.ts$/, ""));
