// `global` and `globalThis` of a program's scripts: language and WeChat names, no browser names.

const LANGUAGE = (
  "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error AggregateError EvalError " +
  "RangeError ReferenceError SyntaxError TypeError URIError JSON Math Reflect Proxy Map Set WeakMap WeakSet WeakRef BigInt ArrayBuffer DataView " +
  "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array BigInt64Array BigUint64Array " +
  "isFinite isNaN decodeURI decodeURIComponent encodeURI encodeURIComponent setTimeout clearTimeout setInterval clearInterval console"
).split(" ");
const WECHAT = ["wx", "App", "Page", "Component", "Behavior", "getApp", "getCurrentPages"];

/** One object shared by all scripts. */
export function globalObject(): object {
  const made = {};
  const outside = window as unknown as Record<string, unknown>;
  for (const name of LANGUAGE) if (name in outside) Object.defineProperty(made, name, { value: outside[name], writable: true, configurable: true });
  // Page and Component differ per file, so they are read on each access.
  for (const name of WECHAT) Object.defineProperty(made, name, { get: () => outside[name], configurable: true, enumerable: true });
  return Object.defineProperties(made, { global: { value: made }, globalThis: { value: made } });
}
