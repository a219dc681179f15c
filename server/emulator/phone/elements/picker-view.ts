// Columns of choices inside the page; each column scrolls to its selection.

import { hostsIn, type ElementKind, type Host } from "../runtime/element.ts";
import { columnOf } from "./picker-view-column.ts";

export const pickerView: ElementKind = {
  tag: "picker-view",
  shell: "slot",
  properties: { value: null, indicatorStyle: "", indicatorClass: "", maskStyle: "", maskClass: "", immediateChange: false },
  mount(host) {
    const columns = (): Host[] => hostsIn(host.el, "picker-view-column");
    const draw = (): void => {
      const value = (host.raw("value") as number[] | null) ?? [];
      columns().forEach((column, index) => columnOf(column)?.show(value[index] ?? 0));
    };
    host.el.addEventListener("wx-pick", () => {
      const value = columns().map((column) => columnOf(column)?.chosen() ?? 0);
      host.change({ value });
      host.emit("change", { value });
    });
    let grasped = false;
    host.el.addEventListener("wx-grasped", () => {
      grasped = true;
      host.emit("pickstart", {});
    });
    host.el.addEventListener("wx-settled", () => {
      if (grasped) host.emit("pickend", {});
      grasped = false;
    });
    window.setTimeout(draw, 0);
    return { update: (name) => (name === "value" ? draw() : undefined) };
  },
};
