// WeChat's icons, drawn with text characters.

import type { ElementKind } from "../runtime/element.ts";

const LOOKS: Record<string, [sign: string, color: string]> = {
  success: ["✓", "#09bb07"], success_no_circle: ["✓", "#09bb07"], info: ["i", "#10aeff"], warn: ["!", "#f76260"], waiting: ["…", "#10aeff"],
  cancel: ["×", "#f43530"], download: ["↓", "#09bb07"], search: ["⌕", "#b2b2b2"], clear: ["×", "#b2b2b2"],
};

/** Other colours under `"style": "v2"`. */
const NEWER: Record<string, string> = { success: "#07c160", success_no_circle: "#07c160", warn: "#fa5151", cancel: "#fa5151", download: "#07c160" };

export const icon: ElementKind = {
  tag: "icon",
  shell: "empty",
  properties: { type: "", size: 23, color: "" },
  reflect: ["type"],
  mount(host) {
    const draw = (): void => {
      const [sign, usual] = LOOKS[host.text("type")] ?? ["", ""];
      const color = (host.phone.program.app.style === "v2" && NEWER[host.text("type")]) || usual;
      host.el.textContent = sign;
      host.el.style.setProperty("--size", `${host.number("size")}px`);
      host.el.style.setProperty("--color", host.text("color") || color);
      if (!host.el.hasAttribute("aria-label")) host.el.setAttribute("aria-hidden", "true");
    };
    draw();
    return { update: draw };
  },
};
