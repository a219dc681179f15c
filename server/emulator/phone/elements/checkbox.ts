// A checkbox of a checkbox-group.

import { hostAround, hostsIn, type ElementKind, type Host } from "../runtime/element.ts";
import { mark, pressable, sayChecked } from "./parts/control.ts";

export const checkbox: ElementKind = {
  tag: "checkbox",
  shell: "slot",
  properties: { value: "", checked: false, disabled: false, color: "" },
  mount(host) {
    mark(host);
    sayChecked(host, "checkbox");
    pressable(host, () => {
      host.change({ checked: !host.flag("checked") });
      const group = hostAround(host.el, "checkbox-group");
      group?.emit("change", { value: chosenIn(group) });
    });
    const group = hostAround(host.el, "checkbox-group");
    if (group && !group.field) adopt(group);
    return { update: () => sayChecked(host, "checkbox") };
  },
};

const ticked = (group: Host): Host[] => hostsIn(group.el, "checkbox").filter((one) => one.flag("checked"));

const chosenIn = (group: Host): string[] => ticked(group).map((one) => one.text("value"));

function adopt(group: Host): void {
  group.field = {
    value: () => chosenIn(group),
    reset: () => {
      for (const one of ticked(group)) one.change({ checked: false });
    },
  };
}
