// The columns of a picker with `mode="region"`: province, city, county.

import type { Host } from "../../runtime/element.ts";
import type { Columns } from "./choices.ts";

/** Code, name, and the regions inside, by GB/T 2260. */
export type Place = [code: string, name: string, inside: Place[]];

const DEPTHS: Record<string, number> = { province: 1, city: 2, region: 3, "sub-district": 3 };
let fetched: Promise<Place[]> | undefined;

/** Fetches the regions when a picker first needs them. */
export const places = (): Promise<Place[]> => (fetched ??= fetch("regions.json").then((answer) => answer.json() as Promise<Place[]>));

/**
 * `at` is the current selection while the sheet is open; a custom item comes first in each column.
 */
export function regionColumns(host: Host, all: Place[], at?: number[]): Columns {
  const custom = host.text("customItem");
  const wanted = (host.raw("value") as string[] | null) ?? [];
  const depth = DEPTHS[host.text("level") || "region"] ?? 3;
  const [lists, chosen, path]: [string[][], number[], (Place | undefined)[]] = [[], [], []];
  let list = all;
  for (let column = 0; column < depth; column += 1) {
    const names = [...(custom ? [custom] : []), ...list.map(([, name]) => name)];
    const place = at?.[column] ?? names.indexOf(wanted[column] ?? "");
    const index = Math.min(Math.max(0, place), Math.max(0, names.length - 1));
    const one = list[index - (custom ? 1 : 0)];
    lists.push(names);
    chosen.push(index);
    path.push(one);
    list = one?.[2] ?? [];
  }
  return {
    lists,
    at: chosen,
    value: (where) => where.map((index, column) => lists[column]?.[index] ?? ""),
    facts: () => ({ code: path.flatMap((one) => one?.[0] ?? []), postcode: "" }),
  };
}
