// A form: collects the values of its named fields.

import { hostOf, type ElementKind, type Host } from "../runtime/element.ts";
import { isAlone, pointElsewhere } from "../runtime/single.ts";
import type { Caller } from "../runtime/caller.ts";
import { setForm } from "./parts/forms.ts";

export const form: ElementKind = {
  tag: "form",
  shell: "slot",
  properties: { reportSubmit: false, reportSubmitTimeout: 0 },
  mount(host) {
    setForm(host, {
      submit: (by) => {
        if (isAlone(host.phone)) pointElsewhere(host.phone);
        else host.emit("submit", { value: valuesIn(host), target: { dataset: {}, id: by.el.id } });
      },
      reset: () => {
        for (const one of fields(host)) one.field?.reset();
        host.emit("reset", {});
      },
    });
  },
};

const fields = (host: Host): Host[] => [...host.el.querySelectorAll("*")].flatMap((element) => hostOf(element) ?? []).filter((one) => one.field);

function valuesIn(host: Host): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const one of fields(host)) {
    const name = one.text("name");
    if (name) values[name] = one.field?.value();
  }
  return Object.assign(values, componentValues(host));
}

/** Components that use a form-field behavior: they have a name and a value. */
function componentValues(host: Host): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const element of host.el.querySelectorAll("*")) {
    if (hostOf(element)) continue;
    const node = (element as Element & { __wxElement?: { getMethodCaller?(): Caller } }).__wxElement;
    const data = node?.getMethodCaller?.()?.data;
    if (data && "name" in data && "value" in data && data["name"]) found[String(data["name"])] = data["value"];
  }
  return found;
}
