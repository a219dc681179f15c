// What a built-in element is: a tag, its properties, and what it does with its place in the document.

import type { Phone } from "./phone.ts";

export type Value = string | number | boolean | null | undefined | object;

export interface ElementKind {
  tag: string;
  /** The template below it: nothing, its children, or its children on a track that can move. */
  shell: "empty" | "slot" | "track";
  /** Defaults; their types are the properties' types, and null takes anything. */
  properties?: Record<string, Value>;
  /** Properties that style sheets and readers see as attributes of the same name. */
  reflect?: readonly string[];
  mount?(host: Host): Mounted | void;
}

export interface Mounted {
  /** A property has a new value. */
  update?(name: string): void;
  unmount?(): void;
}

/** What a form collects from an element with a `name`. */
export interface Field {
  value(): unknown;
  reset(): void;
}

export interface Emitted {
  bubbles?: boolean;
  composed?: boolean;
}

/** One element in a page, as its own code sees it. */
export interface Host {
  readonly kind: ElementKind;
  readonly el: HTMLElement;
  readonly phone: Phone;
  /** The page or component whose template holds the element. */
  readonly owner: string;
  text(name: string): string;
  number(name: string): number;
  flag(name: string): boolean;
  raw(name: string): unknown;
  emit(type: string, detail?: object, options?: Emitted): void;
  /** Sets own properties; a `model:` binding follows. */
  change(values: Record<string, unknown>): void;
  field?: Field;
  /** What a tap on the element's label does. */
  activate?: () => void;
}

const hosts = new WeakMap<Element, Host>();

export const hostOf = (element: Element | null): Host | undefined => (element ? hosts.get(element) : undefined);

export const remember = (host: Host): void => void hosts.set(host.el, host);

/** The hosts of one or more tags below an element, in the document's order. */
export function hostsIn(element: Element, ...tags: string[]): Host[] {
  const selector = tags.length ? tags.map((tag) => `wx-${tag}`).join(",") : "*";
  return [...element.querySelectorAll(selector)].flatMap((one) => hostOf(one) ?? []);
}

/** The nearest host of a tag around an element. */
export const hostAround = (element: Element, tag: string): Host | undefined =>
  hostOf(element.parentElement?.closest(`wx-${tag}`) ?? null);

/** A real element below a host, which the framework does not know. */
export function inner<K extends keyof HTMLElementTagNameMap>(host: Host, tag: K): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  host.el.append(element);
  return element;
}
