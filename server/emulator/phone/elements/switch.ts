// A switch.

import { inner, type ElementKind } from "../runtime/element.ts";
import { pressable, sayChecked } from "./parts/control.ts";

export const switchElement: ElementKind = {
  tag: "switch",
  shell: "empty",
  properties: { checked: false, disabled: false, type: "switch", color: "", name: "" },
  reflect: ["type"],
  mount(host) {
    inner(host, "i").className = "wx-knob";
    sayChecked(host, "switch");
    pressable(host, () => {
      host.change({ checked: !host.flag("checked") });
      host.emit("change", { value: host.flag("checked") });
    });
    host.field = { value: () => host.flag("checked"), reset: () => host.change({ checked: false }) };
    return { update: () => sayChecked(host, "switch") };
  },
};
