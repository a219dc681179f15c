// The program's modules: each runs once, when it is first required.

import { globalObject } from "./global.ts";
import type { Program, Require } from "./program.ts";

export interface Load {
  (path: string): unknown;
  has(path: string): boolean;
}

/** Creates a loader for the program's modules. */
export function loader(program: Program): Load {
  const loaded = new Map<string, { exports: unknown }>();
  const shared = globalObject();
  const modules = program.modules(shared, shared);
  const load = (path: string): unknown => {
    const known = loaded.get(path);
    if (known) return known.exports;
    const text = modules[path];
    if (!text) throw new Error(`module '${path}.js' is not defined`);
    const module = { exports: {} as unknown };
    loaded.set(path, module);
    text.run.call(undefined, requirer((name) => load(text.needs[name] ?? name)), module, module.exports);
    return module.exports;
  };
  return Object.assign(load, { has: (path: string) => path in modules });
}

/**
 * The `require` of one module: synchronous, or asynchronous, which may load from another package.
 */
function requirer(get: (name: string) => unknown): Require {
  const async = (name: string): Promise<unknown> =>
    Promise.resolve().then(() => {
      try {
        return get(name);
      } catch (thrown) {
        throw { mod: name, errMsg: thrown instanceof Error ? thrown.message : String(thrown) };
      }
    });
  const now: Require = Object.assign(
    (name: string, done?: (exports: unknown) => void, failed?: (why: unknown) => void) => (done ? void async(name).then(done, failed ?? (() => undefined)) : get(name)),
    { async },
  );
  return now;
}
