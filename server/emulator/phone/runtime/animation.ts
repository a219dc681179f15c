// Animations: exported by wx.createAnimation for an element's `animation`, or started by
// `this.animate` with a selector.

import type { Caller } from "./caller.ts";

export interface Step {
  animates: { type: string; args: unknown[] }[];
  option: { transformOrigin: string; transition: { delay: number; duration: number; timingFunction: string } };
}
export interface Exported {
  actions: Step[];
}
export type KeyFrame = Record<string, unknown> & { offset?: number; ease?: string; composite?: CompositeOperation };

const STYLES = new Set(["opacity", "backgroundColor", "width", "height", "top", "left", "bottom", "right"]);
const LENGTHS = new Set(["width", "height", "top", "left", "bottom", "right"]);
const unit = (type: string): string => (type.startsWith("rotate") || type.startsWith("skew") ? "deg" : type.startsWith("translate") ? "px" : "");
const measure = (value: unknown, ending: string): string => (typeof value === "number" ? `${value}${ending}` : String(value));

/** One function of CSS `transform`. */
export function transformOf(type: string, args: unknown[]): string {
  const ending = unit(type);
  // The first three numbers of rotate3d are an axis, without unit.
  const parts = args.map((value, index) => measure(value, type === "rotate3d" && index < 3 ? "" : ending));
  return `${type}(${parts.join(", ")})`;
}

const playing = new WeakMap<HTMLElement, number>();

/** Plays exported steps in sequence; a newer animation replaces a running one. */
export function play(element: HTMLElement, exported: Exported | null): void {
  window.clearTimeout(playing.get(element));
  const [first, ...rest] = exported?.actions ?? [];
  if (!first) return;
  const { transformOrigin, transition } = first.option;
  const transforms = first.animates.filter(({ type }) => !STYLES.has(type)).map(({ type, args }) => transformOf(type, args));
  const styles = first.animates.filter(({ type }) => STYLES.has(type));
  const { style } = element;
  style.transition = `all ${transition.duration}ms ${transition.timingFunction} ${transition.delay}ms`;
  style.transformOrigin = transformOrigin;
  if (transforms.length) style.transform = transforms.join(" ");
  for (const { type, args } of styles) style[type as "width"] = measure(args[0], LENGTHS.has(type) ? "px" : "");
  const next = (): void => play(element, { actions: rest });
  if (rest.length) playing.set(element, window.setTimeout(next, transition.duration + transition.delay));
}

/** `this.animate(selector, frames, ms, done)`. */
export function animate(caller: Caller, selector: string, frames: KeyFrame[], ms: number, done?: () => void): void {
  const started = elementsOf(caller, selector).map((element) => element.animate(frames.map(frameOf), { duration: ms, fill: "forwards" }));
  // A cleared animation rejects here and must not call `done`.
  Promise.all(started.map((one) => one.finished)).then(() => done?.(), () => undefined);
}

/** `this.clearAnimation(selector, options?, done?)`. */
export function clearAnimation(caller: Caller, selector: string, done: unknown): void {
  for (const element of elementsOf(caller, selector)) for (const one of element.getAnimations()) one.cancel();
  if (typeof done === "function") done();
}

function elementsOf(caller: Caller, selector: string): HTMLElement[] {
  return (caller._$.getShadowRoot()?.querySelectorAll(selector) ?? []).map((node) => node.$$ as unknown as HTMLElement);
}

/** Converts a frame to the browser's format; WeChat writes each transform as its own property. */
function frameOf({ offset, ease, composite, transformOrigin, ...rest }: KeyFrame): Keyframe {
  const frame: Keyframe = { ...(offset === undefined ? {} : { offset }), ...(ease === undefined ? {} : { easing: ease }), ...(composite ? { composite } : {}) };
  if (transformOrigin !== undefined) frame["transformOrigin"] = String(transformOrigin);
  const transforms: string[] = [];
  for (const [name, value] of Object.entries(rest)) {
    const args: unknown[] = Array.isArray(value) ? value : [value];
    if (/^(rotate|scale|translate|skew|matrix)/.test(name)) transforms.push(transformOf(name, args));
    else frame[name] = measure(value, LENGTHS.has(name) ? "px" : "");
  }
  if (transforms.length) frame["transform"] = transforms.join(" ");
  return frame;
}
