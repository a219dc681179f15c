// Items side by side, one of them visible.

import { hostsIn, type ElementKind, type Host } from "../runtime/element.ts";

const SWIPE = 0.2;

export const swiper: ElementKind = {
  tag: "swiper",
  shell: "track",
  properties: {
    indicatorDots: false, indicatorColor: "rgba(0, 0, 0, .3)", indicatorActiveColor: "#000000", autoplay: false, current: 0, currentItemId: "", interval: 5000, duration: 500,
    circular: false, vertical: false, previousMargin: "0px", nextMargin: "0px", displayMultipleItems: 1, skipHiddenItemLayout: false, easingFunction: "default",
    snapToEdge: false,
  },
  reflect: ["vertical"],
  mount: (host) => {
    const reel = new Reel(host);
    return { update: (name) => reel.update(name), unmount: () => reel.stop() };
  },
};

class Reel {
  private readonly host: Host;
  private readonly dots = document.createElement("div");
  private timer = 0;
  private shown = -1;
  /** Position of the track in items; in a circular swiper it continues past the last item. */
  private at = -1;
  private from: { x: number; y: number } | null = null;

  constructor(host: Host) {
    this.host = host;
    this.dots.className = "wx-dots";
    host.el.append(this.dots);
    // The items exist only after the element is created.
    window.setTimeout(() => this.draw(), 0);
    new MutationObserver(() => this.draw()).observe(this.track, { childList: true });
    this.listen();
    this.play();
  }

  update(name: string): void {
    if (name === "current" && this.host.number("current") !== this.shown) this.show(this.host.number("current"), "");
    else if (name === "currentItemId") this.showItem(this.host.text("currentItemId"));
    else this.draw();
    if (name === "autoplay" || name === "interval") this.play();
  }

  stop(): void {
    window.clearInterval(this.timer);
  }

  private get track(): HTMLElement {
    return this.host.el.querySelector<HTMLElement>(".wx-track")!;
  }

  private get leaves(): Host[] {
    return hostsIn(this.track, "swiper-item").filter((leaf) => leaf.el.closest("wx-swiper") === this.host.el);
  }

  private play(): void {
    this.stop();
    if (this.host.flag("autoplay")) this.timer = window.setInterval(() => this.by(1, "autoplay"), this.host.number("interval"));
  }

  private by(step: number, source: string): void {
    const count = this.leaves.length;
    if (!count) return;
    const next = this.shown + step;
    if (this.host.flag("circular")) this.show((next + count) % count, source, this.at + step);
    else if (source === "autoplay") this.show((next + count) % count, source);
    else this.show(Math.min(count - 1, Math.max(0, next)), source);
  }

  private showItem(id: string): void {
    const index = this.leaves.findIndex((leaf) => leaf.text("itemId") === id);
    if (index >= 0) this.show(index, "");
  }

  private show(index: number, source: string, at = index): void {
    if (index === this.shown) return;
    this.shown = index;
    this.at = at;
    this.draw();
    this.host.change({ current: index });
    const facts = { current: index, currentItemId: this.leaves[index]?.text("itemId") ?? "", source };
    this.host.emit("change", facts);
    window.setTimeout(() => this.host.emit("animationfinish", facts), this.host.number("duration"));
  }

  private draw(): void {
    const leaves = this.leaves;
    if (this.shown < 0) this.shown = this.at = this.host.number("current");
    const size = 100 / Math.max(1, this.host.number("displayMultipleItems"));
    const side = this.host.flag("vertical") ? "Y" : "X";
    const { style } = this.track;
    style.transform = `translate${side}(${-this.at * size}%)`;
    style.transitionDuration = `${this.host.number("duration")}ms`;
    style.margin = side === "X" ? `0 ${this.host.text("nextMargin")} 0 ${this.host.text("previousMargin")}` : "";
    leaves.forEach((leaf, index) => {
      leaf.el.style.flexBasis = `${size}%`;
      leaf.el.style.transform = this.round(index, leaves.length, side);
      leaf.el.setAttribute("aria-hidden", String(index < this.shown || index >= this.shown + this.host.number("displayMultipleItems")));
    });
    this.drawDots(leaves.length);
  }

  /**
   * In a circular swiper each item is placed in the round of the track closest to the visible item.
   */
  private round(index: number, count: number, side: string): string {
    if (!this.host.flag("circular")) return "";
    const middle = this.at + (this.host.number("displayMultipleItems") - 1) / 2;
    const rounds = Math.round((middle - index) / count);
    return rounds ? `translate${side}(${rounds * count * 100}%)` : "";
  }

  private drawDots(count: number): void {
    this.dots.hidden = !this.host.flag("indicatorDots");
    const dot = (_nothing: unknown, index: number): HTMLElement => {
      const one = document.createElement("i");
      one.style.background = this.host.text(index === this.shown ? "indicatorActiveColor" : "indicatorColor");
      return one;
    };
    this.dots.replaceChildren(...Array.from({ length: count }, dot));
  }

  private listen(): void {
    const { el } = this.host;
    el.addEventListener("pointerdown", (event) => {
      this.from = { x: event.clientX, y: event.clientY };
    });
    el.addEventListener("pointerup", (event) => this.swiped(event));
    el.addEventListener("pointercancel", (event) => this.swiped(event));
  }

  private swiped(event: PointerEvent): void {
    if (!this.from) return;
    const [x, y] = [event.clientX - this.from.x, event.clientY - this.from.y];
    this.from = null;
    const box = this.host.el.getBoundingClientRect();
    const [way, size] = this.host.flag("vertical") ? [y, box.height] : [x, box.width];
    if (Math.abs(way) > size * SWIPE) this.by(way < 0 ? 1 : -1, "touch");
  }
}
