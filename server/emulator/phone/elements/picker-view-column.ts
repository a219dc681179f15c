// One column of a picker-view.

import type { ElementKind, Host } from "../runtime/element.ts";

interface Column {
  show(index: number): void;
  chosen(): number;
}

const columns = new WeakMap<Host, Column>();
const SETTLED_MS = 120;

export const columnOf = (host: Host): Column | undefined => columns.get(host);

export const pickerViewColumn: ElementKind = {
  tag: "picker-view-column",
  shell: "track",
  mount(host) {
    const track = host.el.querySelector<HTMLElement>(".wx-track")!;
    let [at, timer] = [0, 0];
    const height = (): number => (track.firstElementChild as HTMLElement | null)?.offsetHeight || 1;
    columns.set(host, {
      chosen: () => at,
      show: (index) => {
        at = index;
        // Padding, so that the first and the last row can be in the middle too.
        track.style.padding = `${Math.max(0, (host.el.clientHeight - height()) / 2)}px 0`;
        host.el.scrollTop = index * height();
      },
    });
    host.el.addEventListener("touchstart", () => host.el.dispatchEvent(new CustomEvent("wx-grasped", { bubbles: true })), { passive: true });
    host.el.addEventListener("scroll", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        host.el.dispatchEvent(new CustomEvent("wx-settled", { bubbles: true }));
        const next = Math.min(track.children.length - 1, Math.round(host.el.scrollTop / height()));
        if (next === at) return;
        at = next;
        host.el.dispatchEvent(new CustomEvent("wx-pick", { bubbles: true }));
      }, SETTLED_MS);
    }, { passive: true });
    return { unmount: () => window.clearTimeout(timer) };
  },
};
