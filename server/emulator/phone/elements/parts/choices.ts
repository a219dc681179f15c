// The columns of a picker, and the conversion between positions and values.

import type { Host } from "../../runtime/element.ts";

export interface Columns {
  /** The labels of each column. */
  lists: string[][];
  /** The selected index of each column. */
  at: number[];
  /** The value for these indexes. */
  value(at: number[]): unknown;
  /** Fields of the event besides the value. */
  facts?(): object;
}

const pad = (number: number): string => String(number).padStart(2, "0");
const span = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from + 1) }, (_nothing, index) => from + index);
const inside = (index: number, list: unknown[]): number => Math.min(Math.max(0, index), Math.max(0, list.length - 1));

/** The columns of a picker by its mode; `at` is the current selection while the sheet is open. */
export function columnsOf(host: Host, at?: number[]): Columns {
  switch (host.text("mode")) {
    case "multiSelector":
      return multi(host, at);
    case "time":
      return time(host);
    case "date":
      return date(host, at);
    default:
      return single(host);
  }
}

function words(host: Host, list: unknown): string[] {
  const key = host.text("rangeKey");
  return (Array.isArray(list) ? list : []).map((one: unknown) => String(key ? (one as Record<string, unknown>)[key] : one));
}

function single(host: Host): Columns {
  const list = words(host, host.raw("range"));
  return { lists: [list], at: [inside(Number(host.raw("value") ?? 0), list)], value: ([first]) => first };
}

function multi(host: Host, at?: number[]): Columns {
  const lists = ((host.raw("range") as unknown[][] | null) ?? []).map((list) => words(host, list));
  const value = at ?? (host.raw("value") as number[] | null) ?? [];
  return { lists, at: lists.map((list, index) => inside(value[index] ?? 0, list)), value: (places) => [...places] };
}

function time(host: Host): Columns {
  const [start, end] = [host.text("start") || "00:00", host.text("end") || "23:59"];
  const [from, to] = [Number(start.slice(0, 2)), Number(end.slice(0, 2))];
  const [hour = 0, minute = 0] = String(host.raw("value") ?? "").split(":").map(Number);
  const hours = span(from, to);
  return {
    lists: [hours.map(pad), span(0, 59).map(pad)],
    at: [inside(hours.indexOf(hour), hours), minute],
    value: ([h = 0, m = 0]) => {
      const chosen = `${pad(hours[h] ?? 0)}:${pad(m)}`;
      return chosen < start ? start : chosen > end ? end : chosen;
    },
  };
}

/** Years, months and days; the days depend on the selected month. */
function date(host: Host, at?: number[]): Columns {
  const [start, end] = [host.text("start") || "1900-01-01", host.text("end") || "2099-12-31"];
  const years = span(Number(start.slice(0, 4)), Number(end.slice(0, 4)));
  const [year = years[0] ?? 1900, month = 1, day = 1] = String(host.raw("value") || start).split("-").map(Number);
  const places = at ?? [inside(years.indexOf(year), years), month - 1, day - 1];
  const daysIn = new Date(years[places[0] ?? 0] ?? year, (places[1] ?? 0) + 1, 0).getDate();
  const depth = { year: 1, month: 2, day: 3 }[host.text("fields") || "day"] ?? 3;
  const lists = [years.map((one) => `${one}年`), span(1, 12).map((one) => `${pad(one)}月`), span(1, daysIn).map((one) => `${pad(one)}日`)];
  return {
    lists: lists.slice(0, depth),
    at: places.slice(0, depth).map((place, index) => inside(place, lists[index]!)),
    value: ([y = 0, m = 0, d = 0]) => {
      const chosen = [String(years[y]), pad(m + 1), pad(d + 1)].slice(0, depth).join("-");
      const [first, last] = [start.slice(0, chosen.length), end.slice(0, chosen.length)];
      return chosen < first ? first : chosen > last ? last : chosen;
    },
  };
}
