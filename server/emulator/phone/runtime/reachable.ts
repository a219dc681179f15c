// Whatever hears a tap is reached by keyboard as well, and a screen reader says that it can be pressed.
//
// WeChat's own screen readers find such elements by themselves; a browser wants a place in the order
// of the Tab key and a role. Elements that have theirs (buttons, fields, controls) keep them.

import type { glassEasel } from "glass-easel-miniprogram-adapter";

interface Framed extends Element {
  __wxElement?: glassEasel.Element;
}

const MARK = "data-wx-tap";
const OWN = "button, input, textarea, select, a[href], [tabindex]";
const NAMED = ["aria-label", "aria-labelledby"];

/** Marks an element that hears taps; it is made reachable once its content stands. */
export function hearsTaps(element: Element): void {
  element.setAttribute(MARK, "");
  queueMicrotask(() => reach(element));
}

/** Content that came later decides anew, before each move of the focus. */
export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Tab") for (const element of document.querySelectorAll(`[${MARK}]:not([tabindex])`)) reach(element);
    else if (event.key === "Enter" || event.key === " ") press(event);
  }, { capture: true });
}

function press(event: KeyboardEvent): void {
  const at = event.target;
  // Elements with a keyboard of their own answer themselves.
  if (!(at instanceof HTMLElement) || !at.hasAttribute("data-wx-reached")) return;
  event.preventDefault();
  at.click();
}

/** Third parties' components listen on every part, pressable or not: theirs say so by a role alone. */
function isForeign(element: Framed): boolean {
  return element.__wxElement?.ownerShadowRoot?.getHostNode().is.startsWith("miniprogram_npm/") ?? false;
}

/** A layer without words (behind a sheet, over a page) is no place to go. */
function reach(element: Element): void {
  if (!(element instanceof HTMLElement) || element.matches(OWN) || element.closest("[aria-hidden='true']")) return;
  const role = element.getAttribute("role");
  const named = NAMED.some((name) => element.hasAttribute(name)) || Boolean(element.textContent?.trim());
  if (!named || role === "presentation" || role === "none" || (role === null && isForeign(element))) return;
  element.tabIndex = 0;
  element.setAttribute("data-wx-reached", "");
  // Around other places to go it is a box, whose parts speak for themselves.
  if (role === null && !element.querySelector(`${OWN}, [${MARK}]`)) element.setAttribute("role", "button");
}
