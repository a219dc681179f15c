// A label: passes a tap on to its control, the one in `for` or the first inside it.

import { hostOf, hostsIn, type ElementKind, type Host } from "../runtime/element.ts";

const CONTROLS = ["button", "checkbox", "radio", "switch", "input", "textarea"];

export const label: ElementKind = {
  tag: "label",
  shell: "slot",
  properties: { for: "" },
  mount(host) {
    host.el.addEventListener("click", (event) => {
      const control = controlOf(host);
      if (!control || (event.target instanceof Node && control.el.contains(event.target))) return;
      control.activate?.();
    });
  },
};

function controlOf(host: Host): Host | undefined {
  const name = host.text("for");
  if (!name) return hostsIn(host.el, ...CONTROLS)[0];
  const page = host.el.closest("wx-page");
  return hostOf(page?.querySelector(`[id="${CSS.escape(name)}"]`) ?? null);
}
