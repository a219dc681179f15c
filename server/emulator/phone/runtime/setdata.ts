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
    original.call(this, OTHERS.test(this.is) ? values : carried(this.is, values), after);
  };
}

/** The part of the values that gets through: plain data, and nothing at all where it is too much. */
function carried(where: string, values: Record<string, unknown>): Record<string, unknown> {
  const sound: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const fault = faultOf(value, key, new Set());
    if (fault) failure(`${where}: setData with ${fault}, which is left out`);
    else sound[key] = value;
  }
  const bytes = new TextEncoder().encode(JSON.stringify(sound)).length;
  if (bytes > LIMIT_BYTES) {
    failure(`${where}: setData of ${bytes} bytes is over the limit of ${LIMIT_BYTES} and is refused`);
    return {};
  }
  if (bytes > AUDIT_BYTES) failure(`${where}: setData of ${bytes} bytes is over the audit's ${AUDIT_BYTES}`);
  return sound;
}

/** What of a value JSON does not carry, in words; undefined where all is plain. */
export function faultOf(value: unknown, path: string, above: Set<unknown>): string | undefined {
  const type = typeof value;
  if (value === undefined || type === "function" || type === "symbol" || type === "bigint") return `${type} at ${path}`;
  if (type === "number" && !Number.isFinite(value)) return `${String(value)} at ${path}`;
  if (value === null || type !== "object") return undefined;
  if (above.has(value)) return `a circle at ${path}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== null && Object.getPrototypeOf(prototype as object) !== null)
    return `${(value as object).constructor.name} at ${path}`;
  const within = new Set(above).add(value);
  for (const [key, part] of Object.entries(value as object)) {
    const fault = faultOf(part, path ? `${path}.${key}` : key, within);
    if (fault) return fault;
  }
  return undefined;
}
