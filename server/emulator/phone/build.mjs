// node build.mjs --app <miniprogram> --out <folder> [--strict]: compiles one mini-program and the
// runtime.
//
// What WeChat only warns of is a warning here too; with --strict it is an error.
//
// Unchanged files are not compiled again, and compilers are only loaded when needed.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle, carryAssets, filesOf } from "./compile/bundle.mjs";
import { Cache, hash } from "./compile/cache.mjs";
import { regionTree } from "./compile/regions.mjs";
import { buildRuntime } from "./compile/runtime.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
/** Administrative regions by GB/T 2260, as the campaign uses them. */
const REGIONS = path.resolve(HERE, "../../units/data/regions.json");
const PAGE = ["index.html", "phone.css"];
const COMPILER = ["compile"];
const RUNTIME = ["elements", "runtime", "wx"];

/**
 * Builds into `out`; resolves to whether anything had changed.
 * @param {{ app: string, out: string, modules: string, regions?: string, strict?: boolean, warn?: (line: string) => void }} options
 *   `strict`: what WeChat only warns of is an error in the app's own files; otherwise `warn` is
 *   called
 */
export async function build({ app, out, modules, regions = REGIONS, strict = false, warn }) {
  fs.mkdirSync(out, { recursive: true });
  const packages = packagesStamp(modules);
  const [compiler, runtime] = [COMPILER, RUNTIME].map((parts) => hash(parts.map((part) => stamp(path.join(HERE, part))).join() + packages));
  const whole = hash([compiler, runtime, strict, stamp(path.join(HERE, "page")), stamp(app), stampOf(regions)].join());
  const mark = path.join(out, "stamp");
  if (fs.existsSync(mark) && fs.readFileSync(mark, "utf8") === whole) return false;
  fs.rmSync(mark, { force: true });
  const cache = new Cache(path.join(out, "cache.json"), `${compiler} ${strict}`);
  const [text] = await Promise.all([bundle({ root: app, modules, elements: elementTags(), cache, strict, warn }), runtimeInto(out, modules, runtime)]);
  fs.writeFileSync(path.join(out, "app.js"), text);
  carryAssets(app, path.join(out, "files"));
  fs.writeFileSync(path.join(out, "regions.json"), JSON.stringify(regionTree(regions)));
  for (const name of PAGE) fs.copyFileSync(path.join(HERE, "page", name), path.join(out, name));
  cache.save();
  fs.writeFileSync(mark, whole);
  return true;
}

/** Builds the runtime unless this version is already in `out`. @param {string} out @param {string} modules @param {string} version */
async function runtimeInto(out, modules, version) {
  const [file, mark] = ["runtime.js", "runtime.stamp"].map((name) => path.join(out, name));
  if (fs.existsSync(file) && fs.existsSync(mark) && fs.readFileSync(mark, "utf8") === version) return;
  fs.rmSync(mark, { force: true });
  await buildRuntime({ home: HERE, out: file, modules });
  fs.writeFileSync(mark, version);
}

/** The tags with a file in elements/. */
export const elementTags = () =>
  new Set(fs.readdirSync(path.join(HERE, "elements")).filter((name) => name.endsWith(".ts") && name !== "index.ts").map((name) => name.slice(0, -3)));

/** @param {string} folder */
const stamp = (folder) => hash(filesOf(folder).map((name) => name + hash(fs.readFileSync(path.join(folder, name), "latin1"))).join());

/** @param {string} file */
const stampOf = (file) => (fs.existsSync(file) ? hash(fs.readFileSync(file, "utf8")) : "");

/** @param {string} modules */
const packagesStamp = (modules) => stampOf(path.join(modules, ".package-lock.json"));

async function main() {
  const { values } = parseArgs({
    options: {
      app: { type: "string", default: "miniprogram" },
      out: { type: "string", default: "var/phone" },
      modules: { type: "string", default: path.resolve(HERE, "../../../node_modules") },
      strict: { type: "boolean", default: false },
    },
  });
  const warn = (/** @type {string} */ line) => console.warn(`phone: warning: ${line}`);
  const start = performance.now();
  try {
    const done = await build({ app: path.resolve(values.app), out: path.resolve(values.out), modules: path.resolve(values.modules), strict: values.strict, warn });
    console.log(`phone: ${done ? "built" : "unchanged"} in ${Math.round(performance.now() - start)} ms`);
  } catch (trouble) {
    if (!(trouble instanceof Error) || trouble.name !== "CompileError") throw trouble;
    console.error(`phone: ${trouble.message}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
