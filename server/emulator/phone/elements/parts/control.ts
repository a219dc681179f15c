// What controls of a form share: a name and a value for the form, a tap on the label, being off.

import { inner, type Host } from "../../runtime/element.ts";

/** Taps on the element itself, with the mouse, a finger or the keyboard, unless it is disabled. */
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

/** Says to readers whether a control is on. */
export function sayChecked(host: Host, role: string): void {
  if (!host.el.hasAttribute("role")) host.el.setAttribute("role", role);
  host.el.setAttribute("aria-checked", String(host.flag("checked")));
  host.el.toggleAttribute("checked", host.flag("checked"));
  host.el.setAttribute("aria-disabled", String(host.flag("disabled")));
  host.el.style.setProperty("--on", host.text("color") || "");
}

/** The drawn mark of a radio or checkbox, before the words. */
export function mark(host: Host): void {
  const dot = inner(host, "i");
  dot.className = "wx-mark";
  host.el.prepend(dot);
}
