// The rules of setData: plain data only, and a size limit.

import { component } from "glass-easel-miniprogram-adapter";
import type { Caller } from "./caller.ts";
import { failure } from "./trouble.ts";

const AUDIT_BYTES = 256 * 1024;
const LIMIT_BYTES = 1024 * 1024;
const OTHERS = /^miniprogram_npm\/|^wx-element\//;

/**
 * Checks every setData of the program's own code; third-party code is not checked. Data that WeChat
 * would not transfer is reported as a failure and not transferred here either.
 */
export function checkSetData(): void {
  const callers = component.ComponentCaller.prototype as unknown as Caller;
  const original = callers.setData;
  callers.setData = function (values, after) {
    if (OTHERS.test(this.is)) return original.call(this, values, after);
    const lost: Lost[] = [];
    original.call(this, carried(this, values, lost), after);
    for (const one of lost) keepBehind(this.data, one);
  };
}

/** A part of the values that is not transferred: its path, the first key as setData names it. */
interface Lost {
  keys: string[];
  value: unknown;
}

/** The transferable part of the values: plain data; empty when it is too large. */
function carried({ is: where, data }: Caller, values: Record<string, unknown>, lost: Lost[]): Record<string, unknown> {
  const lose: Lose = (fault, keys, value) => {
    failure(`${where}: setData with ${fault} at ${keys.join(".")}, which is left out`);
    lost.push({ keys, value });
  };
  // Unchanged values are skipped: an observer that sets its own property would run again.
  const held = Object.entries(values).filter(([key, value]) => value !== undefined && data[key] === value);
  const news = Object.entries(values).filter(([key, value]) => value === undefined || data[key] !== value);
  const sound = news.map(([key, value]): [string, unknown] => [key, plainly(value, [key], new Set(), lose)]).filter(([, value]) => value !== LEFT_OUT);
  const bytes = new TextEncoder().encode(JSON.stringify(Object.fromEntries(sound))).length;
  if (bytes > LIMIT_BYTES) {
    failure(`${where}: setData of ${bytes} bytes is over the limit of ${LIMIT_BYTES} and is refused`);
    return {};
  }
  if (bytes > AUDIT_BYTES) failure(`${where}: setData of ${bytes} bytes is over the audit's ${AUDIT_BYTES}`);
  return Object.fromEntries([...held, ...sound]);
}

/** A function is not transferred, but stays in the script's own data, as on WeChat. */
function keepBehind(data: Record<string, unknown>, { keys: [head = "", ...rest], value }: Lost): void {
  if (typeof value !== "function") return;
  const way = [...(head.match(/[^.[\]]+/g) ?? []), ...rest];
  const last = way.pop();
  let at: unknown = data;
  for (const key of way) at = (at as Record<string, unknown> | null | undefined)?.[key];
  if (last !== undefined && at !== null && typeof at === "object") (at as Record<string, unknown>)[last] = value;
}

/** Marks a value that is not transferred. */
const LEFT_OUT = Symbol("left out");
type Lose = (fault: string, keys: string[], value: unknown) => void;

/**
 * Copies a value without what JSON cannot represent; in a list such a part becomes null. A complete
 * value stays the same object: the framework compares by identity.
 */
function plainly(value: unknown, keys: string[], above: Set<unknown>, lose: Lose): unknown {
  const fault = faultOf(value, above);
  if (fault) {
    lose(fault, keys, value);
    return LEFT_OUT;
  }
  if (value === null || typeof value !== "object") return value;
  const within = new Set(above).add(value);
  const parts = Object.entries(value).map(([key, one]): [string, unknown, unknown] => [key, one, plainly(one, [...keys, key], within, lose)]);
  if (parts.every(([, before, after]) => before === after)) return value;
  if (Array.isArray(value)) return parts.map(([, , after]) => (after === LEFT_OUT ? null : after));
  return Object.fromEntries(parts.filter(([, , after]) => after !== LEFT_OUT).map(([key, , after]) => [key, after]));
}

/** Says why JSON cannot represent a value; undefined when it can. */
function faultOf(value: unknown, above: Set<unknown>): string | undefined {
  const type = typeof value;
  if (value === undefined || type === "function" || type === "symbol" || type === "bigint") return type;
  if (type === "number" && !Number.isFinite(value)) return String(value);
  if (value === null || type !== "object") return undefined;
  if (above.has(value)) return "a circle";
  const prototype: unknown = Object.getPrototypeOf(value);
  const made = !Array.isArray(value) && prototype !== null && Object.getPrototypeOf(prototype as object) !== null;
  return made ? (value as object).constructor.name : undefined;
}
