// createIntersectionObserver: reports when elements enter and leave the view.

import type { glassEasel } from "glass-easel-miniprogram-adapter";
import type { View } from "./query.ts";
import type { Caller } from "./caller.ts";

interface Margins {
  left?: number;
  top?: number;
  right?: number;
  bottom?: number;
}
export interface ObserverOptions {
  thresholds?: number[];
  initialRatio?: number;
  observeAll?: boolean;
}
type Seen = (facts: Record<string, unknown>) => void;

export class ViewObserver {
  private readonly view: View;
  private readonly caller: Caller;
  private readonly options: ObserverOptions;
  private root: HTMLElement | undefined;
  private margins: Margins = {};
  private observer: IntersectionObserver | undefined;
  private readonly nodes = new WeakMap<Element, glassEasel.Element>();

  constructor(view: View, caller: Caller, options: ObserverOptions = {}) {
    this.view = view;
    this.caller = caller;
    this.options = options;
  }

  relativeTo(selector: string, margins: Margins = {}): this {
    this.root = this.elements(selector)[0];
    this.margins = margins;
    return this;
  }

  relativeToViewport(margins: Margins = {}): this {
    this.root = undefined;
    this.margins = margins;
    return this;
  }

  observe(selector: string, seen: Seen): void {
    const { top = 0, right = 0, bottom = 0, left = 0 } = this.margins;
    const root = this.root ?? this.view.page().scroller;
    const threshold = this.options.thresholds ?? [0];
    let first = (this.options.initialRatio ?? 0) === 0;
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) if (!first || entry.isIntersecting) seen(factsOf(entry, this.nodeOf(entry.target)));
        first = false;
      },
      { root, rootMargin: `${top}px ${right}px ${bottom}px ${left}px`, threshold },
    );
    const found = this.elements(selector);
    for (const element of this.options.observeAll ? found : found.slice(0, 1)) this.observer.observe(element);
  }

  disconnect(): void {
    this.observer?.disconnect();
  }

  private elements(selector: string): HTMLElement[] {
    const nodes = this.caller._$.getShadowRoot()?.querySelectorAll(selector) ?? [];
    for (const node of nodes) this.nodes.set(node.$$ as unknown as Element, node);
    return nodes.map((node) => node.$$ as unknown as HTMLElement);
  }

  private nodeOf(target: Element): glassEasel.Element | undefined {
    return this.nodes.get(target);
  }
}

const factsOf = (entry: IntersectionObserverEntry, node: glassEasel.Element | undefined): Record<string, unknown> => ({
  id: node?.id ?? "",
  dataset: node?.dataset ?? {},
  intersectionRatio: entry.intersectionRatio,
  intersectionRect: entry.intersectionRect,
  boundingClientRect: entry.boundingClientRect,
  relativeRect: entry.rootBounds,
  time: entry.time,
});
