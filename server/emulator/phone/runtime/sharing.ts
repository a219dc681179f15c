// The share content of a page, and the share sheet.

import type { Page } from "./page.ts";
import { failure } from "./trouble.ts";
import type { Files } from "./files.ts";
import type { Card, Program, Shared, Shell } from "./shell.ts";

const PROMISE_MS = 3000;
/** Maximum length of a path in WeChat's codes, links and cards, in characters. */
const LONGEST_PATH = 1024;

interface Message {
  title?: string;
  path?: string;
  imageUrl?: string;
  promise?: Promise<Message>;
}

export class Sharing {
  /** Hidden by wx.hideShareMenu. */
  hidden = false;
  /** Items enabled by wx.showShareMenu. */
  timeline = false;
  withShareTicket = false;
  private readonly shell: Shell;
  private readonly files: Files;
  private readonly top: () => Page;

  constructor(parts: { shell: Shell; files: Files; top: () => Page }) {
    this.shell = parts.shell;
    this.files = parts.files;
    this.top = parts.top;
  }

  /** The menu items for the open page. */
  menu(): ReturnType<Program["menu"]> {
    const page = this.top();
    const share = !this.hidden && page.has("onShareAppMessage");
    return { share, timeline: share && page.has("onShareTimeline") };
  }

  /** The content that would be shared now; null when the page cannot be shared. */
  async content(from: "menu" | "button", target?: unknown): Promise<Shared | null> {
    const page = this.top();
    if (!page.has("onShareAppMessage")) return null;
    const said = await this.message(page, from, target);
    const own = { title: page.window.navigationBarTitleText ?? "", path: `/${page.path}${search(page.query)}`, imageUrl: "" };
    const card = { ...own, ...defined(said) };
    if (card.path.length > LONGEST_PATH) failure(`${page.path}: a card's path of ${card.path.length} characters is over ${LONGEST_PATH}`);
    return {
      card: { title: card.title, path: card.path.startsWith("/") ? card.path : `/${card.path}`, imageUrl: await this.picture(card.imageUrl, page) },
      timeline: page.has("onShareTimeline") ? await this.timelineOf(page) : null,
      withShareTicket: this.withShareTicket,
    };
  }

  /** Opens the share sheet with the page's content. */
  async open(target?: unknown): Promise<void> {
    const shared = await this.content("button", target);
    if (shared) await this.shell.ask("share", shared);
  }

  private async message(page: Page, from: string, target: unknown): Promise<Message> {
    const said = (page.call("onShareAppMessage", { from, target }) ?? {}) as Message;
    if (!said.promise) return said;
    const late = new Promise<Message>((resolve) => window.setTimeout(() => resolve(said), PROMISE_MS));
    return Promise.race([said.promise, late]);
  }

  private async timelineOf(page: Page): Promise<Card> {
    const said = (page.call("onShareTimeline") ?? {}) as { title?: string; query?: string; imageUrl?: string };
    const query = said.query ?? search(page.query).slice(1);
    return {
      title: said.title ?? page.window.navigationBarTitleText ?? "",
      path: query ? `/${page.path}?${query}` : `/${page.path}`,
      imageUrl: await this.picture(said.imageUrl ?? "", page),
    };
  }

  /** Converts a picture for the shell: temporary files become data URLs. */
  private async picture(path: string, page: Page): Promise<string> {
    const blob = this.files.blob(path);
    if (blob) return asData(blob);
    const url = this.files.url(path, page.path);
    return url.startsWith("files/") ? `/phone/app/${url}` : url;
  }
}

const search = (query: Record<string, string>): string => {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  return pairs.length ? `?${pairs.join("&")}` : "";
};

const defined = (message: Message): Partial<Record<"title" | "path" | "imageUrl", string>> =>
  Object.fromEntries(Object.entries(message).filter(([, value]) => typeof value === "string" && value !== ""));

function asData(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("the picture cannot be read"));
    reader.readAsDataURL(blob);
  });
}
