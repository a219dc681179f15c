// Converts definitions for Page, Component and Behavior to the framework's form. Where WeChat only
// warns, the framework throws and the rest of the definition is lost; these cases are handled here.

type Named = (name: string) => unknown;
export type Definition = Record<string, unknown>;
type Called = (this: Record<string, unknown>, ...values: unknown[]) => unknown;

const FUNCTIONS = ["methods", "lifetimes", "pageLifetimes"];

/** `named` resolves WeChat's own behaviors, which a definition names by a string. */
export function fitting(definition: Definition, named: Named): Definition {
  const made = { ...definition };
  if (Array.isArray(made["behaviors"])) made["behaviors"] = made["behaviors"].filter(Boolean).map((one: unknown) => (typeof one === "string" ? named(one) : one));
  for (const part of FUNCTIONS) if (isPlain(made[part])) made[part] = withoutNothing(made[part]);
  if (isPlain(made["observers"])) made["observers"] = mapped(made["observers"], called);
  if (isPlain(made["properties"])) made["properties"] = mapped(made["properties"], property);
  return made;
}

const isPlain = (value: unknown): value is Definition => value !== null && typeof value === "object" && !Array.isArray(value);

const withoutNothing = (part: Definition): Definition => Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined && value !== null));

function mapped(part: Definition, change: (value: unknown) => unknown): Definition {
  return withoutNothing(Object.fromEntries(Object.entries(part).map(([name, value]) => [name, change(value)])));
}

/** Wraps an observer given as a method name; the method may come from a behavior, or be missing. */
function called(observer: unknown): unknown {
  if (typeof observer !== "string") return typeof observer === "function" ? observer : undefined;
  const call: Called = function (...values) {
    const method = this[observer];
    if (typeof method === "function") return (method as Called).apply(this, values);
    console.warn(`there is no method ${observer} for an observer`);
    return undefined;
  };
  return call;
}

const TYPES: ReadonlySet<unknown> = new Set([String, Number, Boolean, Object, Array, Function, null, undefined]);

/** A list of types means the first and then the others; an invalid type accepts any value. */
function typed(type: unknown, others: unknown): Definition {
  const [first, ...more] = Array.isArray(type) ? (type as unknown[]) : [type];
  if (!TYPES.has(first)) console.warn("a property has a type that is none");
  const all = [...more, ...(Array.isArray(others) ? (others as unknown[]) : [])];
  return { type: TYPES.has(first) ? first : null, ...(all.length > 0 ? { optionalTypes: all } : {}) };
}

function property(value: unknown): unknown {
  // A property of any type is declared with type null.
  if (value === undefined || value === null) return { type: null };
  if (!isPlain(value)) return value;
  const { observer, type, ...rest } = value;
  const call = called(observer);
  return { ...rest, ...typed(type, rest["optionalTypes"]), ...(call === undefined ? {} : { observer: call }) };
}
