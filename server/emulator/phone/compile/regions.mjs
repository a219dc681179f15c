// The regions of a picker with `mode="region"`: province, city, county, by GB/T 2260.

import fs from "node:fs";

/**
 * One region: code, name, the regions in it.
 * @typedef {[string, string, Place[]]} Place
 */

/**
 * The tree of a campaign's regions file; empty when the file does not exist.
 * @param {string} file
 * @returns {Place[]}
 */
export function regionTree(file) {
  if (!fs.existsSync(file)) return [];
  const { region, cities } = JSON.parse(fs.readFileSync(file, "utf8"));
  return [[region.code, region.name, standing(cities).map((city) => [city.code, city.name, standing(city.counties).map(({ code, name }) => [code, name, []])])]];
}

/** The regions that exist now. @param {any[]} rows */
const standing = (rows) => rows.filter((one) => !one.valid_to);
