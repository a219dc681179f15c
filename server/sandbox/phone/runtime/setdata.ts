// The rules of setData: plain data only, and not too much of it.

import { component } from "glass-easel-miniprogram-adapter";
import type { Caller } from "./space.ts";
import { failure } from "./trouble.ts";

const AUDIT_BYTES = 256 * 1024;
const LIMIT_BYTES = 1024 * 1024;
const OTHERS = /^miniprogram_npm\/|^wx-element\//;

/** Checks every setData of the program's own pages and components; other people's code is left alone. */
export function checkSetData(): void {
  const callers = component.ComponentCaller.prototype as unknown as Caller;
  const original = callers.setData;
  callers.setData = function (values, after) {
    if (!OTHERS.test(this.is)) check(this.is, values);
    original.call(this, values, after);
  };
}

function check(where: string, values: Record<string, unknown>): void {
  const fault = faultOf(values, "", new Set());
  if (fault) {
    failure(`${where}: setData with ${fault}`);
    return;
  }
  const bytes = new TextEncoder().encode(JSON.stringify(values)).length;
  if (bytes > LIMIT_BYTES) failure(`${where}: setData of ${bytes} bytes is over the limit of ${LIMIT_BYTES}`);
  else if (bytes > AUDIT_BYTES) failure(`${where}: setData of ${bytes} bytes is over the audit's ${AUDIT_BYTES}`);
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
