// The open page: scrolling, refreshing, observers.

import { ViewObserver, type ObserverOptions } from "../runtime/observer.ts";
import type { Phone } from "../runtime/phone.ts";
import { SelectorQuery } from "../runtime/query.ts";
import type { Caller } from "../runtime/caller.ts";
import type { Family, Options } from "./api.ts";

export const page: Family = (phone, add) => {
  const view = { page: () => phone.router.top, area: () => phone.chrome.area() };
  add.now("createSelectorQuery", () => new SelectorQuery(view));
  add.now("createIntersectionObserver", (caller: Caller, options?: ObserverOptions) => new ViewObserver(view, caller, options));
  add.later("pageScrollTo", (options) => scrollTo(phone, options));
  add.later("startPullDownRefresh", () => phone.router.top.startPull());
  add.later("stopPullDownRefresh", () => phone.router.top.endPull());
  add.now("nextTick", (run: () => void) => void window.setTimeout(run, 0));
  add.now("setPageStyle", () => undefined);
};

function scrollTo(phone: Phone, { scrollTop, selector, offsetTop = 0, duration = 300 }: Options): void {
  const { scroller, component } = phone.router.top;
  let top = Number(scrollTop ?? 0);
  if (typeof selector === "string") {
    const node = component.getShadowRoot()?.querySelector(selector);
    if (!node) throw new Error(`${selector} is not found`);
    const box = (node.$$ as unknown as HTMLElement).getBoundingClientRect();
    top = scroller.scrollTop + box.top - phone.chrome.area().top + Number(offsetTop);
  }
  if (Number(duration) > 0 && "scrollTo" in scroller) scroller.scrollTo({ top, behavior: "smooth" });
  else scroller.scrollTop = top;
}
