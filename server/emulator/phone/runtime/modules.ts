// The program's own modules: each runs once, when it is first needed.

import type { Program } from "./program.ts";

export type Load = (path: string) => unknown;

/** A loader over the program's modules. */
export function loader(program: Program): Load {
  const loaded = new Map<string, { exports: unknown }>();
  const load: Load = (path) => {
    const known = loaded.get(path);
    if (known) return known.exports;
    const text = program.modules[path];
    if (!text) throw new Error(`module ${path} is not in the bundle`);
    const module = { exports: {} as unknown };
    loaded.set(path, module);
    text.run.call(undefined, (name) => load(text.needs[name] ?? name), module, module.exports);
    return module.exports;
  };
  return load;
}
