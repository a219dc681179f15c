/**
 * The files that a mini-program's package holds: its own, and of npm packages only those in use.
 * Compiling is what finds them, so a fault of the compiler is thrown from here.
 */

import { Disk, foreign } from "./compile/disk.mjs";
import { scripts, fileOf } from "./compile/scripts.mjs";
import { walk } from "./compile/walk.mjs";
import { sheets } from "./compile/wxss.mjs";
import { templates } from "./compile/wxml.mjs";

const FONT_FACE = /@font-face\s*\{[^}]*\}/g;
const FRESH = { through: (_kind, _key, make) => make() };

/**
 * The third party's part: paths under miniprogram_npm/ with their texts. Fonts are left out of it:
 * they would be fetched from somebody else's address.
 * @param {{root: string, modules: string, elements: Set<string>}} options
 * @returns {Promise<Map<string, string>>}
 */
export async function closure({ root, modules, elements }) {
  const disk = new Disk(root, modules, true);
  const program = walk(disk);
  const entries = [...program.units.keys()];
  if (fileOf(disk, "app")) entries.unshift("app");
  const [code] = await Promise.all([scripts(disk, entries, FRESH), sheets(disk, program, FRESH)]);
  templates(disk, program, elements);
  const theirs = [...disk.texts, ...beginnings(disk), ...renamed(disk, Object.keys(code))].filter(([name]) => foreign(name));
  return new Map(theirs.sort().map(([name, text]) => [name, text.replace(FONT_FACE, "")]));
}

/** WeChat looks for a package's beginning in its index.js: one for each that has it elsewhere. @param {Disk} disk */
function beginnings(disk) {
  const packages = new Set([...disk.texts.keys()].flatMap((name) => /^(?:miniprogram_npm\/(?:@[^/]+\/)?[^/]+)/.exec(name) ?? []));
  return [...packages]
    .map((name) => [name, disk.entry(name)])
    .filter(([name, entry]) => entry !== undefined && entry !== `${name}/index`)
    .map(([name, entry]) => [`${name}/index.js`, `module.exports = require("./${entry.slice(name.length + 1)}");\n`]);
}

/** WeChat requires files that end in .js alone: a script or data of another ending goes by its name and .js. */
function renamed(disk, paths) {
  return paths
    .map((path) => fileOf(disk, path))
    .filter((file) => foreign(file) && /\.(?:[cm]js|json)$/.test(file))
    .map((file) => [`${file}.js`, file.endsWith(".json") ? `module.exports = ${disk.read(file)};\n` : disk.read(file)]);
}
