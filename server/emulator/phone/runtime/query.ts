// createSelectorQuery: sizes, positions and properties of nodes in a component's template.

import { glassEasel } from "glass-easel-miniprogram-adapter";
import { hostOf } from "./element.ts";
import type { Caller } from "./caller.ts";

export interface Fields {
  id?: boolean;
  dataset?: boolean;
  rect?: boolean;
  size?: boolean;
  scrollOffset?: boolean;
  properties?: string[];
  computedStyle?: string[];
  context?: boolean;
  node?: boolean;
}
type Facts = Record<string, unknown>;
type Answer = (facts: never) => void;

/** The position of pages in the window; coordinates are relative to it. */
export interface View {
  page(): { scroller: HTMLElement; instance: Caller };
  area(): { width: number; height: number; top: number };
}

interface Wish {
  /** The component whose template is searched; by default the open page. */
  caller: Caller | undefined;
  selector: string | null;
  all: boolean;
  fields: Fields;
  answer?: Answer;
}

export class SelectorQuery {
  private readonly view: View;
  private caller: Caller | undefined;
  private readonly wishes: Wish[] = [];

  constructor(view: View, caller?: Caller) {
    this.view = view;
    this.caller = caller;
  }

  in(caller: Caller): this {
    this.caller = caller;
    return this;
  }

  select(selector: string): NodesRef {
    return this.ref(selector, false);
  }

  selectAll(selector: string): NodesRef {
    return this.ref(selector, true);
  }

  selectViewport(): NodesRef {
    return this.ref(null, false);
  }

  exec(answer?: (all: unknown[]) => void): this {
    // WeChat answers asynchronously, after the page was rendered.
    window.setTimeout(() => {
      const results = this.wishes.map((wish) => {
        const result = found(this.view, wish);
        wish.answer?.(result as never);
        return result;
      });
      answer?.(results);
    }, 0);
    return this;
  }

  private ref(selector: string | null, all: boolean): NodesRef {
    const caller = this.caller;
    return new NodesRef((fields, answer) => {
      this.wishes.push({ caller, selector, all, fields, answer });
      return this;
    });
  }
}

export class NodesRef {
  private readonly wish: (fields: Fields, answer?: Answer) => SelectorQuery;

  constructor(wish: (fields: Fields, answer?: Answer) => SelectorQuery) {
    this.wish = wish;
  }

  fields(fields: Fields, answer?: Answer): SelectorQuery {
    return this.wish(fields, answer);
  }

  boundingClientRect(answer?: Answer): SelectorQuery {
    return this.wish({ id: true, dataset: true, rect: true, size: true }, answer);
  }

  scrollOffset(answer?: Answer): SelectorQuery {
    return this.wish({ id: true, dataset: true, scrollOffset: true }, answer);
  }

  node(answer?: Answer): SelectorQuery {
    return this.wish({ node: true }, answer);
  }

  context(answer?: Answer): SelectorQuery {
    return this.wish({ context: true }, answer);
  }
}

function found(view: View, { caller, selector, all, fields }: Wish): unknown {
  if (selector === null) return viewport(view, fields);
  const root = (caller ?? view.page().instance)._$.getShadowRoot();
  const nodes = root?.querySelectorAll(selector) ?? [];
  const facts = (all ? nodes : nodes.slice(0, 1)).map((node) => factsOf(view, node, fields));
  return all ? facts : (facts[0] ?? null);
}

function viewport(view: View, fields: Fields): Facts {
  const { width, height } = view.area();
  const { scrollTop, scrollLeft, scrollWidth, scrollHeight } = view.page().scroller;
  return {
    ...(fields.id ? { id: "" } : {}),
    ...(fields.dataset ? { dataset: {} } : {}),
    ...(fields.rect ? { left: 0, top: 0, right: width, bottom: height } : {}),
    ...(fields.size ? { width, height } : {}),
    ...(fields.scrollOffset ? { scrollTop, scrollLeft, scrollWidth, scrollHeight } : {}),
  };
}

function factsOf(view: View, node: glassEasel.Element, fields: Fields): Facts {
  const element = node.$$ as unknown as HTMLElement;
  const host = hostOf(element);
  const scroller = host?.kind.tag === "scroll-view" ? element : null;
  const { scrollTop = 0, scrollLeft = 0, scrollWidth = 0, scrollHeight = 0 } = scroller ?? {};
  return {
    ...(fields.id ? { id: node.id } : {}),
    ...(fields.dataset ? { dataset: node.dataset } : {}),
    ...boxOf(view, element, fields),
    ...(fields.scrollOffset ? { scrollTop, scrollLeft, scrollWidth, scrollHeight } : {}),
    ...properties(node, host?.raw, fields),
    ...styles(element, fields),
    ...(fields.node || fields.context ? { node: scroller ? scrollContext(scroller) : element.querySelector("canvas") } : {}),
  };
}

/** The scroll functions of a scroll-view's context. */
function scrollContext(scroller: HTMLElement): object {
  return {
    scrollTo: ({ top, left, animated = true }: { top?: number; left?: number; animated?: boolean }) =>
      scroller.scrollTo({ top, left, behavior: animated ? "smooth" : "instant" }),
    scrollIntoView: (selector: string) => scroller.querySelector(selector)?.scrollIntoView(),
  };
}

function boxOf(view: View, element: HTMLElement, fields: Fields): Facts {
  const box = element.getBoundingClientRect();
  const up = view.area().top;
  return {
    ...(fields.rect ? { left: box.left, right: box.right, top: box.top - up, bottom: box.bottom - up } : {}),
    ...(fields.size ? { width: box.width, height: box.height } : {}),
  };
}

function properties(node: glassEasel.Element, raw: ((name: string) => unknown) | undefined, fields: Fields): Facts {
  const data = (node as unknown as { data?: Facts }).data ?? {};
  return Object.fromEntries((fields.properties ?? []).map((name) => [name, raw ? raw(name) : data[name]]));
}

function styles(element: HTMLElement, fields: Fields): Facts {
  if (!fields.computedStyle) return {};
  const computed = getComputedStyle(element);
  const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return Object.fromEntries(fields.computedStyle.map((name) => [name, computed.getPropertyValue(dashed(name))]));
}
