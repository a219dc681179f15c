// A picker: a sheet at the bottom of the screen.

import type { ElementKind, Host } from "../runtime/element.ts";
import { button, make } from "../runtime/overlay.ts";
import { failure, wordsOf } from "../runtime/trouble.ts";
import { columnsOf, type Columns } from "./parts/choices.ts";
import { pressable } from "./parts/control.ts";
import { places, regionColumns, type Place } from "./parts/regions.ts";

const MODES = new Set(["selector", "multiSelector", "date", "time", "region"]);
/** Modes in which the selection in one column changes the next columns. */
const LINKED = new Set(["date", "region"]);

export const picker: ElementKind = {
  tag: "picker",
  shell: "slot",
  properties: {
    headerText: "", mode: "selector", disabled: false, range: null, rangeKey: "", value: null, start: "", end: "", fields: "day", name: "", customItem: "", level: "",
  },
  mount(host) {
    if (!host.el.hasAttribute("role")) host.el.setAttribute("role", "button");
    const first = host.raw("value");
    host.field = { value: () => host.raw("value"), reset: () => host.change({ value: first }) };
    let open: Sheet | undefined;
    const show = (all: Place[]): void => void (open = new Sheet(host, all, () => (open = undefined)));
    pressable(host, () => {
      const mode = host.text("mode");
      if (!MODES.has(mode)) failure(`picker: mode ${mode} is not in this phone`);
      else if (mode === "region") places().then(show).catch((thrown: unknown) => failure(`picker: ${wordsOf(thrown)}`));
      else show([]);
    });
    return { update: (name) => (name === "range" || name === "value" ? open?.draw() : undefined), unmount: () => open?.close() };
  },
};

class Sheet {
  private readonly host: Host;
  private readonly all: Place[];
  private readonly gone: () => void;
  private readonly mask: HTMLElement;
  private readonly row = make("div", "wx-columns");
  private columns: Columns;

  constructor(host: Host, all: Place[], gone: () => void) {
    this.host = host;
    this.all = all;
    this.gone = gone;
    this.columns = this.columnsAt();
    const { mask, box } = host.phone.overlay.sheet("wx-picker", host.text("headerText") || "请选择");
    this.mask = mask;
    const bar = box.appendChild(make("div", "wx-row"));
    bar.append(
      button("取消", "#888888", () => this.cancel()),
      make("span", "", host.text("headerText")),
      button("确定", "#07c160", () => this.accept()),
    );
    box.append(this.row);
    mask.addEventListener("click", (event) => event.target === mask && this.cancel());
    this.fill();
  }

  close(): void {
    this.mask.remove();
    this.gone();
  }

  /** Redraws linked columns while the sheet is open. */
  draw(): void {
    this.columns = this.columnsAt(this.host.text("mode") === "multiSelector" ? undefined : this.columns.at);
    this.fill();
  }

  private columnsAt(at?: number[]): Columns {
    return this.host.text("mode") === "region" ? regionColumns(this.host, this.all, at) : columnsOf(this.host, at);
  }

  private fill(): void {
    const { lists, at } = this.columns;
    this.row.replaceChildren(...lists.map((list, column) => this.column(list, column, at[column] ?? 0)));
    for (const chosen of this.row.querySelectorAll('[aria-selected="true"]')) chosen.scrollIntoView?.({ block: "center" });
  }

  private column(list: string[], column: number, at: number): HTMLElement {
    const box = make("div", "wx-column");
    box.setAttribute("role", "listbox");
    list.forEach((words, index) => {
      const item = button(words, "", () => this.choose(column, index));
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(index === at));
      box.append(item);
    });
    return box;
  }

  private choose(column: number, index: number): void {
    this.columns.at[column] = index;
    // A new province starts at its first city; a new month keeps the day.
    if (this.host.text("mode") === "region") this.columns.at.fill(0, column + 1);
    if (LINKED.has(this.host.text("mode"))) this.columns = this.columnsAt(this.columns.at);
    this.fill();
    if (this.host.text("mode") === "multiSelector") this.host.emit("columnchange", { column, value: index });
  }

  private accept(): void {
    const value = this.columns.value(this.columns.at);
    this.close();
    this.host.change({ value });
    this.host.emit("change", { value, ...this.columns.facts?.() });
  }

  private cancel(): void {
    this.close();
    this.host.emit("cancel", {});
  }
}
