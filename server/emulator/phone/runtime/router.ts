// The page stack, and WeChat's navigation rules.

import { Channel } from "./channel.ts";
import type { Chrome } from "./chrome.ts";
import type { Packages } from "./packages.ts";
import { Page } from "./page.ts";
import type { Program } from "./program.ts";
import type { Space } from "./space.ts";
import type { Theme } from "./theme.ts";
import { failure, UNAVAILABLE } from "./trouble.ts";

const DEEPEST = 10;

export class Router {
  readonly stack: Page[] = [];
  private readonly tabs = new Map<string, Page>();
  private readonly space: Space;
  private readonly program: Program;
  private readonly theme: Theme;
  private readonly chrome: Chrome;
  private readonly packages: Packages;
  private readonly single: boolean;

  constructor(parts: { space: Space; program: Program; theme: Theme; chrome: Chrome; packages: Packages; single: boolean }) {
    this.space = parts.space;
    this.program = parts.program;
    this.theme = parts.theme;
    this.chrome = parts.chrome;
    this.packages = parts.packages;
    this.single = parts.single;
  }

  get top(): Page {
    const page = this.stack.at(-1);
    if (!page) throw new Error("no page is open yet");
    return page;
  }

  isTab(path: string): boolean {
    return this.program.app.tabBar?.list.some((tab) => tab.pagePath === path) ?? false;
  }

  navigateTo(url: string): Channel {
    this.mayMove();
    const { path, query } = this.parse(url);
    this.refuseTab(path, "navigateTo");
    if (this.stack.length >= DEEPEST) throw new Error(`webview count limit exceed`);
    const channel = new Channel();
    this.top.hide();
    this.push(this.opened(path, query, channel));
    return channel;
  }

  redirectTo(url: string): void {
    this.mayMove();
    const { path, query } = this.parse(url);
    this.refuseTab(path, "redirectTo");
    this.drop();
    this.push(this.opened(path, query));
  }

  navigateBack(delta: number): void {
    this.mayMove();
    if (this.stack.length < 2) throw new Error("cannot navigate back at first page.");
    for (let left = delta; left > 0 && this.stack.length > 1; left -= 1) this.drop();
    this.shown();
  }

  switchTab(url: string): void {
    this.mayMove();
    const { path } = this.parse(url);
    if (!this.isTab(path)) throw new Error("can not switch to no-tabBar page");
    if (this.top.path === path && this.stack.length === 1) return;
    while (this.stack.length > 1) this.drop();
    if (this.isTab(this.top.path)) {
      if (this.top.path !== path) this.top.hide();
      this.stack.pop();
    } else this.drop();
    this.push(this.tabs.get(path) ?? this.opened(path, {}));
  }

  reLaunch(url: string): void {
    if (this.stack.length) this.mayMove();
    const { path, query } = this.parse(url);
    while (this.stack.length) this.drop();
    for (const page of this.tabs.values()) page.close();
    this.tabs.clear();
    this.push(this.opened(path, query));
  }

  /** Parses an address into path and query, relative to the open page. */
  parse(url: string): { path: string; query: Record<string, string> } {
    const [bare, search = ""] = splitOnce(url, "?");
    const base = `http://app/${this.stack.at(-1)?.path ?? ""}`;
    const path = decodeURIComponent(new URL(bare, base).pathname).replace(/^\//, "").replace(/\.html$/, "");
    if (!this.program.units[path]?.page) throw new Error(this.unknown(path));
    this.packages.need(path);
    const pairs = search.split("&").filter(Boolean).map((pair) => splitOnce(pair, "="));
    return { path, query: Object.fromEntries(pairs.map(([name, value]) => [name, value ?? ""])) };
  }

  private unknown(path: string): string {
    const words = `page "${path}" is not found`;
    failure(words);
    return words;
  }

  private opened(path: string, query: Record<string, string>, channel?: Channel): Page {
    const page = new Page(this.space, this.program, this.theme, path, query);
    page.channel = channel;
    page.instance["getOpenerEventChannel"] = () => channel ?? new Channel();
    if (this.isTab(path)) {
      this.tabs.set(path, page);
      if (this.program.app.tabBar?.custom && !this.single) page.addTabBar();
    }
    this.stack.push(page);
    page.load(this.chrome.stage);
    this.stack.pop();
    return page;
  }

  private push(page: Page): void {
    this.stack.push(page);
    this.shown();
  }

  private shown(): void {
    const page = this.top;
    // A single page has no home page to go to.
    const first = this.single || page.path === this.program.app.pages[0];
    this.chrome.dress(page, { tab: this.isTab(page.path), deep: this.stack.length > 1, first });
    page.show();
  }

  private drop(): void {
    const page = this.stack.pop();
    if (!page) return;
    this.tabs.delete(page.path);
    page.close();
  }

  private mayMove(): void {
    if (this.single) throw new Error(UNAVAILABLE);
  }

  private refuseTab(path: string, name: string): void {
    if (this.isTab(path)) throw new Error(`can not ${name} a tabbar page`);
  }
}

function splitOnce(text: string, at: string): [string, string?] {
  const place = text.indexOf(at);
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)];
}
