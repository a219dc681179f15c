// The rules of setData: plain data only, and not too much of it.

import { component } from "glass-easel-miniprogram-adapter";
import type { Caller } from "./space.ts";
import { failure } from "./trouble.ts";

const AUDIT_BYTES = 256 * 1024;
const LIMIT_BYTES = 1024 * 1024;
const OTHERS = /^miniprogram_npm\/|^wx-element\//;

/**
 * Checks every setData of the program's own pages and components; other people's code is left alone.
 * What WeChat would not bring to the page is told as a failure and does not come to the page here.
 */
export function checkSetData(): void {
  const callers = component.ComponentCaller.prototype as unknown as Caller;
  const original = callers.setData;
  callers.setData = function (values, after) {
    original.call(this, OTHERS.test(this.is) ? values : carried(this, values), after);
  };
}

/** The part of the values that gets through: plain data, and nothing at all where it is too much. */
function carried({ is: where, data }: Caller, values: Record<string, unknown>): Record<string, unknown> {
  const say: Say = (words) => failure(`${where}: setData with ${words}, which is left out`);
  // What the data holds already is no news: an observer that sets its own property again would be called again.
  const brought = ([key, value]: [string, unknown]): [string, unknown] => [key, data[key] === value && value !== undefined ? value : plainly(value, key, new Set(), say)];
  const sound = Object.fromEntries(Object.entries(values).map(brought).filter(([, value]) => value !== LEFT_OUT));
  const bytes = new TextEncoder().encode(JSON.stringify(sound)).length;
  if (bytes > LIMIT_BYTES) {
    failure(`${where}: setData of ${bytes} bytes is over the limit of ${LIMIT_BYTES} and is refused`);
    return {};
  }
  if (bytes > AUDIT_BYTES) failure(`${where}: setData of ${bytes} bytes is over the audit's ${AUDIT_BYTES}`);
  return sound;
}

/** Stands for a value that does not get through. */
const LEFT_OUT = Symbol("left out");
type Say = (words: string) => void;

/**
 * A value without those parts that JSON does not carry; in a list null takes the place of such a part.
 * A value that is whole stays the same object: the framework tells by that whether something changed.
 */
function plainly(value: unknown, path: string, above: Set<unknown>, say: Say): unknown {
  const fault = faultOf(value, above);
  if (fault) {
    say(`${fault} at ${path}`);
    return LEFT_OUT;
  }
  if (value === null || typeof value !== "object") return value;
  const within = new Set(above).add(value);
  const parts = Object.entries(value).map(([key, one]): [string, unknown, unknown] => [key, one, plainly(one, path ? `${path}.${key}` : key, within, say)]);
  if (parts.every(([, before, after]) => before === after)) return value;
  if (Array.isArray(value)) return parts.map(([, , after]) => (after === LEFT_OUT ? null : after));
  return Object.fromEntries(parts.filter(([, , after]) => after !== LEFT_OUT).map(([key, , after]) => [key, after]));
}

/** What of a value itself JSON does not carry, in words. */
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
