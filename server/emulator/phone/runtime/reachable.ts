// Makes every element with a tap handler reachable by keyboard and announced by screen readers.
//
// WeChat's own screen readers find such elements; a browser needs a tabindex and a role. Elements
// with their own (buttons, fields, controls) keep them.

import type { glassEasel } from "glass-easel-miniprogram-adapter";

interface Framed extends Element {
  __wxElement?: glassEasel.Element;
}

const MARK = "data-wx-tap";
const OWN = "button, input, textarea, select, a[href], [tabindex]";
const NAMED = ["aria-label", "aria-labelledby"];

/** Marks an element with a tap handler; it becomes reachable when its content exists. */
export function hearsTaps(element: Element): void {
  element.setAttribute(MARK, "");
  queueMicrotask(() => reach(element));
}

/** Repeats the decision before each move of the focus, because content may have been added. */
export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Tab") for (const element of document.querySelectorAll(`[${MARK}]:not([tabindex])`)) reach(element);
    else if (event.key === "Enter" || event.key === " ") press(event);
  }, { capture: true });
}

function press(event: KeyboardEvent): void {
  const at = event.target;
  // Elements with their own keyboard handling are skipped.
  if (!(at instanceof HTMLElement) || !at.hasAttribute("data-wx-reached")) return;
  event.preventDefault();
  at.click();
}

/** Third-party components listen on every part, so only a role marks a part as pressable. */
function isForeign(element: Framed): boolean {
  return element.__wxElement?.ownerShadowRoot?.getHostNode().is.startsWith("miniprogram_npm/") ?? false;
}

/** Makes an element focusable; one without text (such as a sheet's backdrop) is skipped. */
function reach(element: Element): void {
  if (!(element instanceof HTMLElement) || element.matches(OWN) || element.closest("[aria-hidden='true']")) return;
  const role = element.getAttribute("role");
  const named = NAMED.some((name) => element.hasAttribute(name)) || Boolean(element.textContent?.trim());
  if (!named || role === "presentation" || role === "none" || (role === null && isForeign(element))) return;
  element.tabIndex = 0;
  element.setAttribute("data-wx-reached", "");
  // An element that contains other focusable elements is not a button itself.
  if (role === null && !element.querySelector(`${OWN}, [${MARK}]`)) element.setAttribute("role", "button");
}
