/**
 * The files of a mini-program's package: its own, and only the used files of npm packages. The
 * compiler finds them, so this throws the compiler's errors.
 */

import { Disk, foreign } from "./compile/disk.mjs";
import { scripts, fileOf } from "./compile/scripts.mjs";
import { walk } from "./compile/walk.mjs";
import { sheets } from "./compile/wxss.mjs";
import { templates } from "./compile/wxml.mjs";

const FONT_FACE = /@font-face\s*\{[^}]*\}/g;
const FRESH = { through: (_kind, _key, make) => make() };

/**
 * The third-party files: paths under miniprogram_npm/ with their texts. Fonts are omitted, because
 * they would be fetched from a third party's address.
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

/** Adds an index.js, where WeChat looks for a package's entry, to packages with another entry. @param {Disk} disk */
function beginnings(disk) {
  const packages = new Set([...disk.texts.keys()].flatMap((name) => /^(?:miniprogram_npm\/(?:@[^/]+\/)?[^/]+)/.exec(name) ?? []));
  return [...packages]
    .map((name) => [name, disk.entry(name)])
    .filter(([name, entry]) => entry !== undefined && entry !== `${name}/index`)
    .map(([name, entry]) => [`${name}/index.js`, `module.exports = require("./${entry.slice(name.length + 1)}");\n`]);
}

/**
 * Adds `.js` to scripts and data with another extension, because WeChat requires only `.js` files.
 */
function renamed(disk, paths) {
  return paths
    .map((path) => fileOf(disk, path))
    .filter((file) => foreign(file) && /\.(?:[cm]js|json)$/.test(file))
    .map((file) => [`${file}.js`, file.endsWith(".json") ? `module.exports = ${disk.read(file)};\n` : disk.read(file)]);
}
