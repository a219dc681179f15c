// The program's own modules: each runs once, when it is first needed.

import { globalObject } from "./global.ts";
import type { Program } from "./program.ts";

export interface Load {
  (path: string): unknown;
  has(path: string): boolean;
}

/** A loader over the program's modules. */
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
    text.run.call(undefined, (name) => load(text.needs[name] ?? name), module, module.exports);
    return module.exports;
  };
  return Object.assign(load, { has: (path: string) => path in modules });
}
