// A scrollable part of the page.

import type { ElementKind, Host } from "../runtime/element.ts";

const NEAR_PX = 50;
const PULL_PX = 45;

export const scrollView: ElementKind = {
  tag: "scroll-view",
  shell: "slot",
  properties: {
    scrollX: false, scrollY: false, upperThreshold: null, lowerThreshold: null, scrollTop: null, scrollLeft: null, scrollIntoView: "", scrollWithAnimation: false,
    enableBackToTop: false, enableFlex: false, scrollAnchoring: false, refresherEnabled: false, refresherThreshold: PULL_PX, refresherDefaultStyle: "black",
    refresherBackground: "", refresherTriggered: false, enhanced: false, bounces: true, showScrollbar: true, pagingEnabled: false, fastDeceleration: false,
    type: "list", usingSticky: false, enablePassive: false, scrollIntoViewOffset: 0, reverse: false, clip: true,
  },
  reflect: ["scrollX", "scrollY", "enableFlex", "showScrollbar", "refresherTriggered"],
  mount(host) {
    listen(host);
    if (host.flag("refresherEnabled")) pull(host);
    if (host.flag("enhanced")) drag(host);
    const go = (): void => {
      if (host.raw("scrollTop") !== null) move(host, { top: pixels(host.raw("scrollTop")) });
      if (host.raw("scrollLeft") !== null) move(host, { left: pixels(host.raw("scrollLeft")) });
    };
    // The children exist only after the element is created.
    window.setTimeout(() => {
      go();
      intoView(host);
    }, 0);
    return {
      update: (name) => {
        if (name === "scrollTop" || name === "scrollLeft") go();
        if (name === "scrollIntoView") intoView(host);
        if (name === "refresherTriggered" && !host.flag("refresherTriggered")) host.emit("refresherrestore", { dy: 0 });
      },
    };
  },
};

function move(host: Host, to: ScrollToOptions): void {
  if (host.flag("scrollWithAnimation") && "scrollTo" in host.el) host.el.scrollTo({ ...to, behavior: "smooth" });
  else Object.assign(host.el, to.top === undefined ? { scrollLeft: to.left } : { scrollTop: to.top });
}

function intoView(host: Host): void {
  const id = host.text("scrollIntoView");
  const target = id ? host.el.querySelector(`[id="${CSS.escape(id)}"]`) : null;
  if (!target) return;
  const [inner, outer] = [target.getBoundingClientRect(), host.el.getBoundingClientRect()];
  if (host.flag("scrollY")) move(host, { top: host.el.scrollTop + inner.top - outer.top + host.number("scrollIntoViewOffset") });
  if (host.flag("scrollX")) move(host, { left: host.el.scrollLeft + inner.left - outer.left + host.number("scrollIntoViewOffset") });
}

function listen(host: Host): void {
  const { el } = host;
  let [top, left, atStart, atEnd] = [0, 0, true, false];
  el.addEventListener("scroll", () => {
    const { scrollTop, scrollLeft, scrollHeight, scrollWidth } = el;
    host.emit("scroll", { scrollTop, scrollLeft, scrollHeight, scrollWidth, deltaX: left - scrollLeft, deltaY: top - scrollTop });
    [top, left] = [scrollTop, scrollLeft];
    const sideways = host.flag("scrollX") && !host.flag("scrollY");
    const begun = sideways ? scrollLeft : scrollTop;
    const rest = sideways ? scrollWidth - scrollLeft - el.clientWidth : scrollHeight - scrollTop - el.clientHeight;
    const [start, end] = [begun <= threshold(host, "upperThreshold"), rest <= threshold(host, "lowerThreshold")];
    if (start && !atStart) host.emit("scrolltoupper", { direction: sideways ? "left" : "top" });
    if (end && !atEnd) host.emit("scrolltolower", { direction: sideways ? "right" : "bottom" });
    [atStart, atEnd] = [start, end];
  }, { passive: true });
}

/** Converts a number, or a text such as `20px` or `40rpx`, to px. */
function pixels(value: unknown): number {
  const number = parseFloat(String(value)) || 0;
  return String(value).trim().endsWith("rpx") ? (number * window.innerWidth) / 750 : number;
}

const threshold = (host: Host, name: string): number => (host.raw(name) === null ? NEAR_PX : pixels(host.raw(name)));

/** With `enhanced`, also sends drag events. */
function drag(host: Host): void {
  const tell = (type: string) => (): void => host.emit(type, { scrollTop: host.el.scrollTop, scrollLeft: host.el.scrollLeft });
  for (const [event, type] of [["touchstart", "dragstart"], ["touchmove", "dragging"], ["touchend", "dragend"]] as const)
    host.el.addEventListener(event, tell(type), { passive: true });
}

function pull(host: Host): void {
  const { el } = host;
  let [from, by] = [-1, 0];
  el.addEventListener("touchstart", (event) => {
    [from, by] = [el.scrollTop <= 0 ? event.touches[0]!.clientY : -1, 0];
  }, { passive: true });
  el.addEventListener("touchmove", (event) => {
    if (from < 0) return;
    by = event.touches[0]!.clientY - from;
    if (by > 0) host.emit("refresherpulling", { dy: by });
  }, { passive: true });
  el.addEventListener("touchend", () => {
    if (from < 0 || by <= 0) return;
    if (by >= host.number("refresherThreshold")) {
      host.change({ refresherTriggered: true });
      host.emit("refresherrefresh", { dy: by });
    } else host.emit("refresherabort", { dy: by });
  });
}
