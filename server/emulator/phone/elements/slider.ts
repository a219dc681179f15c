// A slider between two numbers.

import { inner, type ElementKind } from "../runtime/element.ts";

export const slider: ElementKind = {
  tag: "slider",
  shell: "empty",
  properties: {
    min: 0, max: 100, step: 1, value: 0, disabled: false, name: "", showValue: false, color: "", selectedColor: "", activeColor: "",
    backgroundColor: "#e9e9e9", blockSize: 28, blockColor: "#ffffff",
  },
  mount(host) {
    const bar = inner(host, "input");
    bar.type = "range";
    const shown = inner(host, "output");
    const draw = (): void => {
      Object.assign(bar, { min: host.text("min"), max: host.text("max"), step: host.text("step"), disabled: host.flag("disabled") });
      bar.value = host.text("value");
      bar.style.accentColor = host.text("selectedColor") || host.text("activeColor") || (host.phone.program.app.style === "v2" ? "#07c160" : "#1aad19");
      bar.setAttribute("aria-label", host.el.getAttribute("aria-label") ?? "滑块");
      shown.hidden = !host.flag("showValue");
      shown.textContent = bar.value;
    };
    bar.addEventListener("input", () => {
      shown.textContent = bar.value;
      host.emit("changing", { value: Number(bar.value) });
    });
    bar.addEventListener("change", () => {
      host.change({ value: Number(bar.value) });
      host.emit("change", { value: Number(bar.value) });
    });
    host.field = { value: () => Number(bar.value), reset: () => host.change({ value: host.number("min") }) };
    draw();
    return { update: draw };
  },
};
