// Shared by form controls: name and value, a tap on the label, the disabled state.

import { inner, type Host } from "../../runtime/element.ts";

/** Handles taps on the element by mouse, finger or keyboard, unless it is disabled. */
export function pressable(host: Host, press: () => void): void {
  host.activate = () => {
    if (!host.flag("disabled")) press();
  };
  host.el.tabIndex = 0;
  host.el.addEventListener("click", () => host.activate?.());
  host.el.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    host.el.click();
  });
}

/** Sets the ARIA state of a control for screen readers. */
export function sayChecked(host: Host, role: string): void {
  if (!host.el.hasAttribute("role")) host.el.setAttribute("role", role);
  host.el.setAttribute("aria-checked", String(host.flag("checked")));
  host.el.toggleAttribute("checked", host.flag("checked"));
  host.el.setAttribute("aria-disabled", String(host.flag("disabled")));
  host.el.style.setProperty("--on", host.text("color") || "");
}

/** Draws the mark of a radio or checkbox before its words. */
export function mark(host: Host): void {
  const dot = inner(host, "i");
  dot.className = "wx-mark";
  host.el.prepend(dot);
}
