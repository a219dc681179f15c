// A progress bar.

import { inner, type ElementKind } from "../runtime/element.ts";

export const progress: ElementKind = {
  tag: "progress",
  shell: "empty",
  properties: {
    percent: 0, showInfo: false, borderRadius: 0, fontSize: 16, strokeWidth: 6, color: "", activeColor: "#09bb07", backgroundColor: "#ebebeb",
    active: false, activeMode: "backwards", duration: 30,
  },
  mount(host) {
    const bar = inner(host, "i");
    const filled = bar.appendChild(document.createElement("b"));
    const words = inner(host, "span");
    host.el.setAttribute("role", "progressbar");
    filled.addEventListener("transitionend", () => host.emit("activeend", { curPercent: percent() }));
    const percent = (): number => Math.min(100, Math.max(0, host.number("percent")));
    const draw = (): void => {
      host.el.setAttribute("aria-valuenow", String(percent()));
      Object.assign(bar.style, { height: `${host.number("strokeWidth")}px`, background: host.text("backgroundColor"), borderRadius: `${host.text("borderRadius")}px` });
      Object.assign(filled.style, {
        width: `${percent()}%`,
        background: host.text("color") || host.text("activeColor"),
        transitionDuration: host.flag("active") ? `${percent() * host.number("duration")}ms` : "0s",
      });
      words.hidden = !host.flag("showInfo");
      words.textContent = `${percent()}%`;
    };
    draw();
    return { update: draw };
  },
};
