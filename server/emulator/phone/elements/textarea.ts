// A multi-line field, which grows with its text if allowed.

import { inner, type ElementKind } from "../runtime/element.ts";
import { TYPING, typing } from "./parts/typing.ts";

export const textarea: ElementKind = {
  tag: "textarea",
  shell: "empty",
  properties: { ...TYPING, autoHeight: false, fixed: false, showConfirmBar: true, disableDefaultPadding: false },
  reflect: ["disabled", "autoHeight"],
  mount(host) {
    const box = inner(host, "textarea");
    box.rows = 1;
    let height = 0;
    const fit = (): void => {
      if (!host.flag("autoHeight")) return;
      box.style.height = "auto";
      box.style.height = `${box.scrollHeight}px`;
      if (box.scrollHeight === height) return;
      height = box.scrollHeight;
      host.emit("linechange", { height, heightRpx: (height * 750) / window.innerWidth, lineCount: box.value.split("\n").length });
    };
    const typed = typing(host, box);
    box.addEventListener("input", fit);
    fit();
    return { update: (name) => (typed.update?.(name), fit()) };
  },
};
