// node build.mjs --app <miniprogram> --out <folder>: compiles one mini-program and the runtime.
//
// Nothing is done when nothing changed; single files that did not change are not compiled again.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { filesOf } from "./compile/bundle.mjs";
import { hash } from "./compile/cache.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const PAGE = ["index.html", "phone.css"];
const PARTS = ["compile", "elements", "page", "runtime", "wx"];

/**
 * Builds into `out`; says whether anything had to be done.
 * @param {{ app: string, out: string, modules: string }} options
 */
export async function build({ app, out, modules }) {
  fs.mkdirSync(out, { recursive: true });
  const runtime = hash(PARTS.map((part) => stamp(path.join(HERE, part))).join() + packagesStamp(modules));
  const whole = hash(runtime + stamp(app));
  const mark = path.join(out, "stamp");
  if (fs.existsSync(mark) && fs.readFileSync(mark, "utf8") === whole) return false;
  fs.rmSync(mark, { force: true });
  const [{ bundle, carryAssets }, { Cache }, { buildRuntime }] = await Promise.all([
    import("./compile/bundle.mjs"),
    import("./compile/cache.mjs"),
    import("./compile/runtime.mjs"),
  ]);
  const cache = new Cache(path.join(out, "cache.json"), runtime);
  const elements = elementTags();
  const [text] = await Promise.all([
    bundle({ root: app, modules, elements, cache }),
    buildRuntime({ home: HERE, out: path.join(out, "runtime.js"), modules }),
  ]);
  fs.writeFileSync(path.join(out, "app.js"), text);
  carryAssets(app, path.join(out, "files"));
  for (const name of PAGE) fs.copyFileSync(path.join(HERE, "page", name), path.join(out, name));
  cache.save();
  fs.writeFileSync(mark, whole);
  return true;
}

/** The tags that have a file in elements/. */
export const elementTags = () =>
  new Set(fs.readdirSync(path.join(HERE, "elements")).filter((name) => name.endsWith(".ts") && name !== "index.ts").map((name) => name.slice(0, -3)));

/** @param {string} folder */
const stamp = (folder) => hash(filesOf(folder).map((name) => name + hash(fs.readFileSync(path.join(folder, name), "latin1"))).join());

/** @param {string} modules */
const packagesStamp = (modules) => {
  const lock = path.join(modules, ".package-lock.json");
  return fs.existsSync(lock) ? hash(fs.readFileSync(lock, "utf8")) : "";
};

async function main() {
  const { values } = parseArgs({
    options: {
      app: { type: "string", default: "miniprogram" },
      out: { type: "string", default: "var/phone" },
      modules: { type: "string", default: path.resolve(HERE, "../../../node_modules") },
    },
  });
  const start = performance.now();
  try {
    const done = await build({ app: path.resolve(values.app), out: path.resolve(values.out), modules: path.resolve(values.modules) });
    console.log(`phone: ${done ? "built" : "unchanged"} in ${Math.round(performance.now() - start)} ms`);
  } catch (trouble) {
    if (!(trouble instanceof Error) || trouble.name !== "CompileError") throw trouble;
    console.error(`phone: ${trouble.message}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
