// JavaScript and TypeScript: each file becomes one CommonJS function with resolved references.

import { beside, endingsOf, foreign } from "./disk.mjs";
import { keepToPackages } from "./parts.mjs";
import { CompileError, lineOf } from "./problem.mjs";

/** @typedef {import("./disk.mjs").Disk} Disk */

/**
 * A `require` by name; `require.async(…)` and a callback argument load it later, from any package.
 */
const REQUIRE = /\brequire(\.async)?\(\s*["']([^"']+)["']\s*([,)])/g;
const DATA = /\.(?:json|png|jpe?g|gif|svg|webp|wxss|wxml|mp3)$/i;
const PACKAGE = /^(miniprogram_npm\/(?:@[^/]+\/)?[^/]+)\//;

/** @typedef {{ code: string, needs: Record<string, string> }} Script */

/**
 * The scripts that some modules need, transitively (paths without extension).
 * @param {Disk} disk @param {string[]} entries @param {import("./cache.mjs").Cache} cache
 */
export async function scripts(disk, entries, cache) {
  /** @type {Record<string, Script>} */
  const done = {};
  let wave = [...new Set(entries)];
  while (wave.length) {
    const codes = await Promise.all(wave.map((path) => compiled(disk, path, cache)));
    /** @type {Set<string>} */
    const next = new Set();
    wave.forEach((path, at) => {
      const needs = needsOf(disk, path, codes[at]);
      done[path] = { code: codes[at], needs };
      for (const need of Object.values(needs)) next.add(need);
    });
    wave = [...next].filter((path) => !(path in done));
  }
  return done;
}

/** The file of a module. @param {Disk} disk @param {string} path */
export const fileOf = (disk, path) => endingsOf(path).map((ending) => path + ending).find((name) => disk.has(name));

/** @param {Disk} disk @param {string} path @param {import("./cache.mjs").Cache} cache */
async function compiled(disk, path, cache) {
  const file = fileOf(disk, path);
  if (file === undefined) throw new CompileError(`${path}.ts`, 0, "there is neither .ts nor .js");
  const source = disk.read(file);
  return cache.through("script", file + source, async () => {
    // Loaded only when a file changed: loading esbuild takes longer than everything else.
    const { transform } = await import("esbuild");
    try {
      if (file.endsWith(".json")) return `module.exports = ${JSON.stringify(disk.json(file))};`;
      const loader = file.endsWith(".ts") ? "ts" : "js";
      const made = await transform(source, { loader, format: "cjs", target: "es2020", sourcefile: file });
      return made.code;
    } catch (trouble) {
      const [first] = /** @type {any} */ (trouble).errors ?? [];
      throw new CompileError(file, first?.location?.line ?? 0, first?.text ?? String(trouble));
    }
  });
}

/** @param {Disk} disk @param {string} path @param {string} code */
function needsOf(disk, path, code) {
  /** @type {Record<string, string>} */
  const needs = {};
  for (const [, async, reference, after] of code.matchAll(REQUIRE)) {
    const target = moduleAt(disk, reference, path);
    if (target === undefined) {
      const file = /** @type {string} */ (fileOf(disk, path));
      const fault = new CompileError(file, lineOf(disk.read(file), reference), notFound(reference));
      // WeChat reports this only when the script runs, which may never happen.
      if (disk.strict) throw fault;
      disk.warnings.push(fault.message);
      continue;
    }
    if (!async && after === ")") keepToPackages(disk, /** @type {string} */ (fileOf(disk, path)), reference, target);
    needs[reference] = target;
  }
  return needs;
}

/** @param {string} reference */
const notFound = (reference) =>
  DATA.test(reference) ? `${reference} is no script: WeChat lets a script take in scripts alone, so write data as a module and name pictures by their path` : `module ${reference} is not found`;

/** @param {Disk} disk @param {string} reference @param {string} from */
function moduleAt(disk, reference, from) {
  const bare = reference.replace(foreign(from) ? /\.([cm]?js|ts|json)$/ : /\.(js|ts)$/, "");
  const places = [];
  if (/^[./]/.test(bare)) places.push(beside(from, bare));
  else {
    const own = PACKAGE.exec(from)?.[1];
    if (own) places.push(`${own}/miniprogram_npm/${bare}`);
    places.push(`miniprogram_npm/${bare}`, beside(from, bare));
  }
  return places.flatMap((place) => [disk.entry(place) ?? place, place, `${place}/index`]).find((place) => fileOf(disk, place) !== undefined);
}
