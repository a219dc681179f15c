// The interface of a built-in element: its tag, its properties, and its behaviour in the document.

import type { Emitted } from "./caller.ts";
import type { Phone } from "./phone.ts";

export type Value = string | number | boolean | null | undefined | object;

export interface ElementKind {
  tag: string;
  /** The template inside: empty, the children, or the children on a movable track. */
  shell: "empty" | "slot" | "track";
  /** Default values; their types are the properties' types, and null accepts any value. */
  properties?: Record<string, Value>;
  /** Properties that are also set as attributes, for style sheets and screen readers. */
  reflect?: readonly string[];
  mount?(host: Host): Mounted | void;
}

export interface Mounted {
  /** Called after a property changed. */
  update?(name: string): void;
  unmount?(): void;
}

/** The value that a form reads from an element with a `name`. */
export interface Field {
  value(): unknown;
  reset(): void;
}

/** One element of a page, as its own code sees it. */
export interface Host {
  readonly kind: ElementKind;
  readonly el: HTMLElement;
  readonly phone: Phone;
  /** The page or component whose template contains the element. */
  readonly owner: string;
  text(name: string): string;
  number(name: string): number;
  flag(name: string): boolean;
  raw(name: string): unknown;
  emit(type: string, detail?: object, options?: Emitted): void;
  /** Sets own properties and updates `model:` bindings. */
  change(values: Record<string, unknown>): void;
  field?: Field;
  /** Called for a tap on the element's label. */
  activate?: () => void;
}

const hosts = new WeakMap<Element, Host>();

export const hostOf = (element: Element | null): Host | undefined => (element ? hosts.get(element) : undefined);

export const remember = (host: Host): void => void hosts.set(host.el, host);

/** The hosts of one or more tags below an element, in document order. */
export function hostsIn(element: Element, ...tags: string[]): Host[] {
  const selector = tags.length ? tags.map((tag) => `wx-${tag}`).join(",") : "*";
  return [...element.querySelectorAll(selector)].flatMap((one) => hostOf(one) ?? []);
}

/** The nearest ancestor host of a tag. */
export const hostAround = (element: Element, tag: string): Host | undefined =>
  hostOf(element.parentElement?.closest(`wx-${tag}`) ?? null);

/** Creates a DOM element below a host, unknown to the framework. */
export function inner<K extends keyof HTMLElementTagNameMap>(host: Host, tag: K): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  host.el.append(element);
  return element;
}
