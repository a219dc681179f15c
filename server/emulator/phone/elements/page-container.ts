// A page within a page, which slides in.

import type { ElementKind } from "../runtime/element.ts";

export const pageContainer: ElementKind = {
  tag: "page-container",
  shell: "slot",
  properties: { show: false, duration: 300, zIndex: 100, overlay: true, position: "bottom", round: false, closeOnSlideDown: false, overlayStyle: "", customStyle: "" },
  reflect: ["show", "position", "round"],
  mount(host) {
    const tell = (): void => {
      for (const name of host.flag("show") ? ["beforeenter", "enter", "afterenter"] : ["beforeleave", "leave", "afterleave"]) host.emit(name, {});
    };
    return { update: (name) => (name === "show" ? tell() : undefined) };
  },
};
