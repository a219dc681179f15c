// A radio of a radio-group.

import { hostAround, hostsIn, type ElementKind, type Host } from "../runtime/element.ts";
import { mark, pressable, sayChecked } from "./parts/control.ts";

export const radio: ElementKind = {
  tag: "radio",
  shell: "slot",
  properties: { value: "", checked: false, disabled: false, color: "" },
  mount(host) {
    mark(host);
    pressable(host, () => choose(host));
    sayChecked(host, "radio");
    const group = hostAround(host.el, "radio-group");
    if (group && !group.field) adopt(group);
    return { update: () => sayChecked(host, "radio") };
  },
};

function choose(host: Host): void {
  if (host.flag("checked")) return;
  const group = hostAround(host.el, "radio-group");
  for (const one of group ? hostsIn(group.el, "radio") : []) if (one !== host && one.flag("checked")) one.change({ checked: false });
  host.change({ checked: true });
  group?.emit("change", { value: host.text("value") });
}

/** Registers the group as the form field of its radios. */
function adopt(group: Host): void {
  group.el.setAttribute("role", "radiogroup");
  const chosen = (): Host | undefined => hostsIn(group.el, "radio").find((one) => one.flag("checked"));
  group.field = { value: () => chosen()?.text("value") ?? "", reset: () => chosen()?.change({ checked: false }) };
}
