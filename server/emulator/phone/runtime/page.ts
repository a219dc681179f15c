// One page of the stack: its frame in the document, its lifecycle, its scroll events.

import { glassEasel } from "glass-easel-miniprogram-adapter";
import type { Caller } from "./caller.ts";
import type { Channel } from "./channel.ts";
import type { Program, UnitSettings, WindowSettings } from "./program.ts";
import { pullable } from "./pull.ts";
import type { Space } from "./space.ts";
import type { Theme } from "./theme.ts";
import { guarded } from "./trouble.ts";

const REACH_BOTTOM_PX = 50;
const TAB_BAR = "custom-tab-bar/index";

export class Page {
  readonly path: string;
  readonly query: Record<string, string>;
  readonly frame: HTMLElement;
  /** The element that scrolls; `page` in style sheets. */
  readonly scroller: HTMLElement;
  readonly instance: Caller;
  /** Window settings that APIs changed. */
  readonly changed: WindowSettings = {};
  /** Set by wx.hideHomeButton. */
  homeless = false;
  /** The question of wx.enableAlertBeforeUnload on the back button; empty for none. */
  leaveQuestion = "";
  channel?: Channel;
  /** The custom tab bar; each tab page has its own instance. */
  tabBar: Caller | null = null;
  private readonly root;
  private readonly settings: UnitSettings & WindowSettings;
  private readonly stopPull: () => void;
  private top = 0;
  private atBottom = false;
  private wasShown = false;
  private shown = false;
  private readonly space: Space;
  private readonly program: Program;
  private readonly theme: Theme;

  constructor(space: Space, program: Program, theme: Theme, path: string, query: Record<string, string>) {
    this.program = program;
    this.theme = theme;
    this.space = space;
    this.path = path;
    this.query = query;
    this.settings = { ...program.app.window, ...program.units[path]!.json };
    this.frame = document.createElement("div");
    this.frame.className = "wx-frame";
    this.frame.dataset["page"] = path;
    this.scroller = document.createElement("wx-page");
    this.frame.append(this.scroller);
    this.root = space.backend.createRoot("body", space.code, path);
    this.instance = this.root.get() as unknown as Caller;
    Object.assign(this.instance, { route: path, options: query });
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.stopPull = pullable(this.scroller, () => this.canPull() && (this.call("onPullDownRefresh"), true));
  }

  /** The effective settings: app.json, then the page's own, then those set by code. */
  get window(): WindowSettings {
    return { ...this.theme.resolved(this.settings), ...this.changed };
  }

  /** Adds the custom tab bar to the page. It inherits the styles of `page`, as in WeChat. */
  addTabBar(): void {
    if (!(TAB_BAR in this.program.units)) return;
    const bar = this.space.backend.createRoot("body", this.space.code, TAB_BAR);
    const place = document.createElement("span");
    this.scroller.append(place);
    bar.attach(this.scroller as never, place as never);
    this.tabBar = bar.get() as unknown as Caller;
  }

  /** Builds the page below `stage` and passes it its query. */
  load(stage: HTMLElement): void {
    stage.append(this.frame);
    const place = document.createElement("span");
    // The content goes first, so that screen readers reach the tab bar after it.
    this.scroller.prepend(place);
    this.root.attach(this.scroller as never, place as never);
    this.call("onLoad", this.query);
  }

  show(): void {
    this.shown = true;
    this.frame.hidden = false;
    this.scroller.scrollTop = this.top;
    this.call("onShow");
    this.lifetime("show");
    if (this.wasShown) return;
    this.wasShown = true;
    this.space.ready.tell();
    this.call("onReady");
  }

  hide(): void {
    if (!this.shown) return;
    this.shown = false;
    this.top = this.scroller.scrollTop;
    this.call("onHide");
    this.lifetime("hide");
    this.frame.hidden = true;
  }

  close(): void {
    this.call("onUnload");
    this.root.release();
    this.frame.remove();
  }

  /** Calls a function of the page, if it exists. */
  call(name: string, ...values: unknown[]): unknown {
    const own = this.instance[name];
    return typeof own === "function" ? guarded(`${this.path} ${name}`, () => (own as (...all: unknown[]) => unknown).apply(this.instance, values)) : undefined;
  }

  has(name: string): boolean {
    return typeof this.instance[name] === "function";
  }

  get component(): glassEasel.GeneralComponent {
    return this.instance._$;
  }

  startPull(): void {
    this.frame.classList.add("wx-pulled");
    this.call("onPullDownRefresh");
  }

  endPull(): void {
    this.stopPull();
  }

  private canPull(): boolean {
    return this.settings.enablePullDownRefresh === true;
  }

  private lifetime(name: string): void {
    this.component.triggerPageLifetime(name, []);
  }

  private scrolled(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    this.call("onPageScroll", { scrollTop });
    const distance = this.settings.onReachBottomDistance ?? REACH_BOTTOM_PX;
    const atBottom = scrollTop + clientHeight >= scrollHeight - distance;
    if (atBottom && !this.atBottom) this.call("onReachBottom");
    this.atBottom = atBottom;
  }
}
