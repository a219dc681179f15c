// Visibility between the packages of an app.
//
// A sub-package sees itself and the main package, an independent one only itself; no package sees
// into another sub-package, which WeChat may not have loaded. Source: WeChat's guide 使用分包, 引用原则.

import { tidy } from "./disk.mjs";
import { CompileError, lineOf } from "./problem.mjs";

/** @typedef {import("./disk.mjs").Disk} Disk */
/** @typedef {{ root: string, independent: boolean }} Part */

const MAIN = { root: "", independent: false };
/** @type {WeakMap<Disk, Part[]>} */
const known = new WeakMap();

/** @param {Disk} disk */
function partsOf(disk) {
  let parts = known.get(disk);
  if (!parts) {
    const app = disk.json("app.json");
    const listed = /** @type {any[]} */ (app.subPackages ?? app.subpackages ?? []);
    parts = listed.map(({ root, independent }) => ({ root: `${tidy(root).replace(/\/$/, "")}/`, independent: independent === true }));
    known.set(disk, parts);
  }
  return parts;
}

/** @param {Disk} disk @param {string} path */
const partOf = (disk, path) => partsOf(disk).find(({ root }) => path.startsWith(root)) ?? MAIN;

/** Whether a file may use another without waiting for its package. @param {Disk} disk @param {string} from @param {string} to */
export function inReach(disk, from, to) {
  const [own, other] = [partOf(disk, from), partOf(disk, to)];
  return own === other || (other === MAIN && !own.independent);
}

/**
 * Throws when the target is in a package that the file cannot see.
 * @param {Disk} disk @param {string} file with its extension @param {string} reference as written there @param {string} target
 */
export function keepToPackages(disk, file, reference, target) {
  if (inReach(disk, file, target)) return;
  const [own, other] = [partOf(disk, file), partOf(disk, target)].map(({ root }) => (root ? `package ${root.slice(0, -1)}` : "the main package"));
  throw new CompileError(file, lineOf(disk.read(file), reference), `${reference} lies in ${other}, and ${own} cannot see into it`);
}
