// Bundles one mini-program into one script: modules, templates, sheets and settings under
// `window.__mp`.

import fs from "node:fs";
import path from "node:path";
import { Disk } from "./disk.mjs";
import { ABSENT } from "./globals.mjs";
import { fileOf, scripts } from "./scripts.mjs";
import { walk } from "./walk.mjs";
import { themeOf } from "./theme.mjs";
import { sheets } from "./wxss.mjs";
import { templates } from "./wxml.mjs";

const CARRIED = new Set([".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".mp3", ".m4a", ".wav"]);

/**
 * Returns the text of the script.
 * @param {{ root: string, modules: string, elements: Set<string>, cache: import("./cache.mjs").Cache, strict?: boolean, warn?: (line: string) => void }} options
 *   `strict`: what WeChat only warns of is an error in the app's own files; otherwise `warn` is
 *   called
 */
export async function bundle({ root, modules, elements, cache, strict = false, warn = () => undefined }) {
  const disk = new Disk(root, modules, strict);
  const program = walk(disk);
  const entries = [...program.units.keys()];
  if (fileOf(disk, "app")) entries.unshift("app");
  const [code, styles] = await Promise.all([scripts(disk, entries, cache), sheets(disk, program, cache)]);
  const sources = templateSources(disk, program, elements);
  const made = JSON.parse(await cache.through("templates", sources, async () => JSON.stringify(templates(disk, program, elements))));
  for (const line of [...disk.warnings, ...made.warnings, ...styles.warnings].sort()) warn(line);
  const units = Object.fromEntries(
    [...program.units.values()].map(({ path: name, page, json, scope }) => [name, { page, json, scope }]),
  );
  return `(() => {
const getRegExp = (p, f) => new RegExp(p, f), getDate = (...a) => new Date(...a);
window.__mp = {
app: ${JSON.stringify(program.app)},
theme: ${JSON.stringify(themeOf(disk, program.app))},
units: ${JSON.stringify(units)},
unknownTags: ${JSON.stringify(made.unknown)},
gaps: ${JSON.stringify(made.gaps)},
sheets: ${JSON.stringify(styles.sheets)},
templates: ${made.code},
modules: (global, globalThis, ${ABSENT.join(", ")}) => ({
${Object.entries(code).map(moduleText).join("\n")}
})};
})();
`;
}

/**
 * The cache key of the templates. They compile as one group, so one change recompiles all; only the
 * compiler knows which files a template imports, so all of the app's files are included. Templates
 * of npm packages are covered by the cache's version.
 * @param {Disk} disk @param {import("./walk.mjs").Program} program @param {Set<string>} elements
 */
function templateSources(disk, program, elements) {
  const files = filesOf(disk.root).filter((name) => /\.(wxml|wxs)$/.test(name));
  const units = [...program.units.values()].map(({ path: name, json }) => [name, json.usingComponents, json.componentGenerics]);
  return JSON.stringify([[...elements], units, files.map((name) => [name, disk.read(name)])]);
}

/** @param {[string, import("./scripts.mjs").Script]} entry */
const moduleText = ([name, { code, needs }]) =>
  `${JSON.stringify(name)}: { needs: ${JSON.stringify(needs)}, run: function (require, module, exports) {\n${code}\n} },`;

/** Copies pictures and sounds of the app. @param {string} root @param {string} out */
export function carryAssets(root, out) {
  fs.rmSync(out, { recursive: true, force: true });
  for (const name of filesOf(root)) {
    if (!CARRIED.has(path.extname(name).toLowerCase())) continue;
    fs.mkdirSync(path.dirname(path.join(out, name)), { recursive: true });
    fs.copyFileSync(path.join(root, name), path.join(out, name));
  }
}

/** Every file below a folder, sorted. @param {string} root */
export const filesOf = (root) =>
  fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
