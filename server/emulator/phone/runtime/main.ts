// Starts the mini-program that the compiler put in `window.__mp`.

import { component } from "glass-easel-miniprogram-adapter";
import { elements } from "../elements/index.ts";
import { makeWx } from "../wx/index.ts";
import { backPressed } from "../wx/leaving.ts";
import { animate, clearAnimation, type KeyFrame } from "./animation.ts";
import { aloneShell, startOf } from "./alone.ts";
import { AppLife, launchOptions, type AppDefinition } from "./app.ts";
import { Chrome } from "./chrome.ts";
import { followClock } from "./clock.ts";
import { Files } from "./files.ts";
import { loader } from "./modules.ts";
import { ViewObserver, type ObserverOptions } from "./observer.ts";
import { Overlay } from "./overlay.ts";
import { Packages } from "./packages.ts";
import type { Phone } from "./phone.ts";
import { Privacy } from "./privacy.ts";
import type { Program } from "./program.ts";
import { SelectorQuery } from "./query.ts";
import { Router } from "./router.ts";
import { checkSetData } from "./setdata.ts";
import { Sharing } from "./sharing.ts";
import type { Shell, Start } from "./shell.ts";
import { addElement, addUnits, definer } from "./registration.ts";
import { openSpace, type Space } from "./space.ts";
import type { Caller } from "./caller.ts";
import { Taps } from "./taps.ts";
import { Theme } from "./theme.ts";
import { failure, faultHearers, guarded, missing, watchForTrouble, wordsOf } from "./trouble.ts";

declare global {
  interface Window {
    __mp: Program;
    /** Milliseconds from page load to the first ready page. */
    __ready?: number;
  }
}

function start(): void {
  watchForTrouble();
  const program = window.__mp;
  document.documentElement.classList.toggle("wx-v2", program.app.style === "v2");
  const overlay = new Overlay();
  const shell = shellOf(overlay);
  followClock(() => shell.clockAhead);
  const taps = new Taps();
  const space = openSpace(program, (type, deliver) => (type === "tap" ? taps.during(deliver) : deliver()));
  const phone = makePhone({ program, overlay, shell, taps, space });
  for (const kind of elements) addElement(space, program, kind, () => phone);
  addUnits(space, program);
  extendCallers(phone);
  checkSetData();
  runProgram(phone);
  shell.join(joined(phone));
  window.__ready = performance.now();
}

function shellOf(overlay: Overlay): Shell {
  return window.parent.shell ?? aloneShell(startOf(location.search), overlay);
}

function makePhone(parts: { program: Program; overlay: Overlay; shell: Shell; taps: Taps; space: Space }): Phone {
  const { program, shell, space } = parts;
  const first = shell.start.path || program.app.pages[0]!;
  const go = {
    back: () => void backPressed(phone),
    home: () => guarded("home key", () => phone.router.reLaunch(`/${program.app.pages[0]!}`)),
    tab: (path: string) => guarded("tab bar", () => tabTapped(phone, path)),
  };
  const single = shell.start.mode === "singlePage";
  const theme = new Theme(program);
  const chrome = new Chrome(single || program.app.tabBar?.custom ? undefined : program.app.tabBar, theme, go);
  const files = new Files();
  const load = loader(program);
  const packages = new Packages(program, definer(space, load));
  const router = new Router({ space, program, theme, chrome, packages, single });
  const phone: Phone = {
    ...parts,
    start: shell.start,
    app: new AppLife(launchOptions(shell.start, first)),
    router,
    packages,
    load,
    chrome,
    theme,
    files,
    privacy: new Privacy(shell),
    sharing: new Sharing({ shell, files, top: () => router.top }),
    api: {},
  };
  return phone;
}

function tabTapped(phone: Phone, path: string): void {
  const index = phone.program.app.tabBar!.list.findIndex((tab) => tab.pagePath === path);
  phone.router.switchTab(`/${path}`);
  phone.router.top.call("onTabItemTap", { index, pagePath: path, text: phone.program.app.tabBar!.list[index]!.text });
}

/** Adds methods to `this` of every page and component. */
function extendCallers(phone: Phone): void {
  const view = { page: () => phone.router.top, area: () => phone.chrome.area() };
  const callers = component.ComponentCaller.prototype as unknown as Record<string, unknown>;
  callers["createSelectorQuery"] = function (this: Caller) {
    return new SelectorQuery(view, this);
  };
  callers["createIntersectionObserver"] = function (this: Caller, options?: ObserverOptions) {
    return new ViewObserver(view, this, options);
  };
  callers["getTabBar"] = function (this: Caller) {
    const element = this._$.$$ as unknown as Node;
    return phone.router.stack.findLast((page) => page.instance === this || page.frame.contains(element))?.tabBar ?? null;
  };
  callers["animate"] = function (this: Caller, selector: string, frames: KeyFrame[], ms: number, done?: () => void) {
    animate(this, selector, frames, ms, done);
  };
  callers["clearAnimation"] = function (this: Caller, selector: string, ...rest: unknown[]) {
    clearAnimation(this, selector, rest.at(-1));
  };
  callers["getPageId"] = () => `pageId:${phone.router.stack.length}`;
}

function runProgram(phone: Phone): void {
  Object.assign(window, {
    wx: makeWx(phone),
    App: (definition: AppDefinition) => phone.app.define(definition),
    getApp: () => phone.app.instance,
    // Undocumented, but programs use it to detect whether they are released.
    __wxConfig: { envVersion: "develop", pages: phone.program.app.pages },
    requirePlugin: (name: string) => (missing(`plugin ${name}`), {}),
    getCurrentPages: () => phone.router.stack.map((page) => page.instance),
  });
  faultHearers.add((kind, facts) => phone.app.tell(kind, facts));
  if (phone.load.has("app")) guarded("app", () => phone.load("app"));
  // onLaunch runs first, because scripts of pages and components read what it sets.
  phone.app.launch();
  phone.app.show(phone.app.launched);
  phone.packages.begin();
  open(phone, phone.start, phone.app.launched.path);
}

/** Opens the start page; for a missing page it calls onPageNotFound and opens the home page. */
function open(phone: Phone, { query }: Start, path: string): void {
  const home = `/${phone.program.app.pages[0]!}`;
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  try {
    phone.router.reLaunch(`/${path}${pairs.length ? `?${pairs.join("&")}` : ""}`);
  } catch (thrown) {
    failure(wordsOf(thrown));
    phone.app.tell("onPageNotFound", { path, query, isEntryPage: true });
    if (phone.router.stack.length === 0) phone.router.reLaunch(home);
  }
}

function joined(phone: Phone): Parameters<Shell["join"]>[0] {
  return {
    show: (next) => {
      phone.start = next;
      const path = next.path || phone.router.top.path;
      const shown = phone.app.background && !next.path;
      phone.app.show(launchOptions(next, path));
      if (next.path) open(phone, next, path);
      else if (shown) phone.router.top.show();
    },
    hide: () => {
      if (phone.app.background) return;
      phone.router.top.hide();
      phone.router.top.frame.hidden = false;
      phone.app.hide();
    },
    back: () => {
      if (phone.router.stack.length < 2) return false;
      guarded("back", () => backPressed(phone));
      return true;
    },
    menu: () => phone.sharing.menu(),
    share: () => phone.sharing.content("menu"),
  };
}

start();
