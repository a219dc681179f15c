// A button: submits or resets its form, and runs its open-type.

import { hostAround, type ElementKind, type Host } from "../runtime/element.ts";
import { failure, wordsOf } from "../runtime/trouble.ts";
import { pressable } from "./parts/control.ts";
import { formOf } from "./parts/forms.ts";
import { hoverable } from "./parts/hover.ts";
import { openByType } from "./parts/open.ts";

export const button: ElementKind = {
  tag: "button",
  shell: "slot",
  properties: {
    type: "default", size: "default", plain: false, disabled: false, loading: false, formType: "", openType: "", lang: "en",
    sessionFrom: "", sendMessageTitle: "", sendMessagePath: "", sendMessageImg: "", showMessageCard: false, appParameter: "",
    phoneNumberNoQuotaToast: true, needShowEntrance: true, entrancePath: "", activityType: null, createLiveActivity: false, hoverClass: "button-hover",
  },
  reflect: ["type", "size", "plain", "disabled", "loading"],
  mount(host) {
    hoverable(host);
    if (!host.el.hasAttribute("role")) host.el.setAttribute("role", "button");
    const state = (): void => {
      host.el.setAttribute("aria-disabled", String(host.flag("disabled")));
      host.el.tabIndex = host.flag("disabled") ? -1 : 0;
    };
    pressable(host, () => press(host));
    state();
    return { update: (name) => (name === "disabled" ? state() : undefined) };
  },
};

function press(host: Host): void {
  const form = hostAround(host.el, "form");
  const kind = host.text("formType");
  if (form && kind === "submit") formOf(form)?.submit(host);
  if (form && kind === "reset") formOf(form)?.reset();
  openByType(host).catch((thrown: unknown) => failure(`button: ${wordsOf(thrown)}`));
}
