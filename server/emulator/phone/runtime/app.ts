// The program's App: launched once, shown and hidden with the mini-program.

import type { Start } from "./shell.ts";
import { guarded } from "./trouble.ts";

export interface LaunchOptions {
  path: string;
  query: Record<string, string>;
  scene: number;
  shareTicket?: string;
  referrerInfo: Record<string, never>;
  mode: string;
  apiCategory: string;
}

export type AppDefinition = Record<string, unknown>;
type Hear = (facts: unknown) => void;

export const launchOptions = (start: Start, path: string): LaunchOptions => ({
  path,
  query: start.query,
  scene: start.scene,
  ...(start.shareTicket === undefined ? {} : { shareTicket: start.shareTicket }),
  referrerInfo: {},
  mode: start.mode,
  apiCategory: start.mode === "singlePage" ? "browseOnly" : "default",
});

export class AppLife {
  instance: AppDefinition | undefined;
  /** Options of the cold start, and of the newest start of any kind. */
  launched: LaunchOptions;
  entered: LaunchOptions;
  readonly heard: Record<"onAppShow" | "onAppHide" | "onError" | "onUnhandledRejection" | "onPageNotFound", Set<Hear>> = {
    onAppShow: new Set(),
    onAppHide: new Set(),
    onError: new Set(),
    onUnhandledRejection: new Set(),
    onPageNotFound: new Set(),
  };
  private visible = false;

  constructor(options: LaunchOptions) {
    this.launched = options;
    this.entered = options;
  }

  /** Called by App(). */
  define(definition: AppDefinition): void {
    this.instance = definition;
  }

  launch(): void {
    this.call("onLaunch", this.launched);
  }

  show(options: LaunchOptions): void {
    this.entered = options;
    if (this.visible) return;
    this.visible = true;
    this.call("onShow", options);
    for (const hear of this.heard.onAppShow) hear(options);
  }

  hide(): void {
    if (!this.visible) return;
    this.visible = false;
    this.call("onHide");
    for (const hear of this.heard.onAppHide) hear({});
  }

  /** Passes an event to the App's handler and to registered listeners. */
  tell(name: "onError" | "onUnhandledRejection" | "onPageNotFound", facts: unknown): void {
    this.call(name, facts);
    for (const hear of this.heard[name]) guarded(`wx.${name}`, () => hear(facts));
  }

  get background(): boolean {
    return !this.visible;
  }

  private call(name: string, ...values: unknown[]): void {
    const own = this.instance?.[name];
    if (typeof own === "function") guarded(`app ${name}`, () => (own as (...all: unknown[]) => unknown).apply(this.instance, values));
  }
}
