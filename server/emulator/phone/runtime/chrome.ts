// WeChat's frame of a page: navigation bar, back arrow or home button, tab bar.

import type { Page } from "./page.ts";
import type { TabBar, WindowSettings } from "./program.ts";
import type { Theme } from "./theme.ts";

const BAR_PX = 52;

interface Tab {
  button: HTMLButtonElement;
  icon: HTMLImageElement;
  words: HTMLElement;
  badge: HTMLElement;
}

export class Chrome {
  readonly stage = place("wx-stage");
  private readonly bar = place("wx-nav");
  private readonly title = place("wx-title");
  private readonly back = place("wx-back") as HTMLButtonElement;
  private readonly home = place("wx-home") as HTMLButtonElement;
  private readonly tabBar = place("wx-tabs");
  private readonly tabs: Tab[];
  private readonly settings: TabBar | undefined;
  private readonly theme: Theme;
  private page: Page | undefined;
  private hiddenTabs = false;

  constructor(settings: TabBar | undefined, theme: Theme, go: { back(): void; home(): void; tab(path: string): void }) {
    this.settings = settings;
    this.theme = theme;
    theme.onChange(() => {
      this.refresh();
      this.drawTabs();
    });
    this.back.addEventListener("click", () => go.back());
    this.home.addEventListener("click", () => go.home());
    this.tabs = (settings?.list ?? []).map((item) => this.makeTab(item.text, () => go.tab(item.pagePath)));
    window.addEventListener("resize", () => this.measure());
  }

  /** Shows the bars as a page sets them; an inner page opened directly gets a home button. */
  dress(page: Page, place: { tab: boolean; deep: boolean; first: boolean }): void {
    this.page = page;
    this.back.hidden = !place.deep;
    this.home.hidden = place.deep || place.tab || place.first || page.homeless;
    this.tabBar.hidden = !place.tab || this.hiddenTabs || this.tabs.length === 0;
    this.refresh();
    this.drawTabs();
    this.measure();
  }

  /** Redraws the navigation bar after an API changed its settings. */
  refresh(): void {
    const settings: WindowSettings = this.page?.window ?? {};
    this.title.textContent = settings.navigationBarTitleText ?? "";
    document.title = settings.navigationBarTitleText || "小程序";
    this.bar.classList.toggle("wx-custom", settings.navigationStyle === "custom");
    this.bar.style.background = settings.navigationStyle === "custom" ? "" : (settings.navigationBarBackgroundColor ?? "#000000");
    this.bar.style.color = settings.navigationBarTextStyle === "black" ? "#000" : "#fff";
    if (this.page) this.page.frame.style.backgroundColor = settings.backgroundColor ?? "";
  }

  /** Removes the home button of the open page. */
  hideHome(): void {
    if (this.page) this.page.homeless = true;
    this.home.hidden = true;
  }

  loading(on: boolean): void {
    this.bar.classList.toggle("wx-busy", on);
  }

  showTabs(on: boolean): void {
    this.hiddenTabs = !on;
    this.tabBar.hidden = !on;
    this.measure();
  }

  /** Changes one tab; omitted fields stay. */
  changeTab(index: number, change: { text?: string; badge?: string | null; dot?: boolean }): void {
    const tab = this.tabs[index];
    if (!tab) throw new Error("tabbar item not found");
    if (change.text !== undefined) tab.words.textContent = change.text;
    if (change.badge !== undefined) {
      tab.badge.textContent = change.badge;
      tab.badge.hidden = change.badge === null;
    }
    if (change.dot !== undefined) {
      tab.badge.textContent = "";
      tab.badge.hidden = !change.dot;
    }
  }

  /** Size and position of the area of a page. */
  area(): { width: number; height: number; top: number } {
    const box = this.stage.getBoundingClientRect();
    return { width: box.width, height: box.height, top: box.top };
  }

  private measure(): void {
    this.stage.style.setProperty("--vh", `${this.area().height / 100}px`);
  }

  private makeTab(text: string, go: () => void): Tab {
    const button = document.createElement("button");
    const [icon, words, badge] = [document.createElement("img"), document.createElement("span"), document.createElement("i")];
    icon.alt = "";
    words.textContent = text;
    badge.hidden = true;
    button.setAttribute("role", "tab");
    button.append(icon, words, badge);
    button.addEventListener("click", go);
    this.tabBar.append(button);
    return { button, icon, words, badge };
  }

  private drawTabs(): void {
    if (!this.settings) return;
    const settings = this.theme.resolved(this.settings);
    this.tabBar.style.background = settings.backgroundColor ?? "#ffffff";
    this.tabs.forEach(({ button, icon }, index) => {
      const item = settings.list[index]!;
      const chosen = item.pagePath === this.page?.path;
      const picture = chosen ? (item.selectedIconPath ?? item.iconPath) : item.iconPath;
      button.setAttribute("aria-selected", String(chosen));
      button.style.color = (chosen ? settings.selectedColor : settings.color) ?? "";
      icon.hidden = picture === undefined;
      if (picture !== undefined) icon.src = `files/${picture.replace(/^\//, "")}`;
    });
  }
}

/** The height of the navigation bar in px. */
export const barHeight = (): number => BAR_PX;

function place(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the phone's page lacks #${id}`);
  return element;
}
