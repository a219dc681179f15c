// A phone in Node: small mini-programs written in the test, compiled and run as in the browser.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { JSDOM, VirtualConsole } from "jsdom";
import { build, elementTags } from "../../server/emulator/phone/build.mjs";
import { bundle } from "../../server/emulator/phone/compile/bundle.mjs";
import { Cache } from "../../server/emulator/phone/compile/cache.mjs";
import { buildRuntime } from "../../server/emulator/phone/compile/runtime.mjs";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const HOME = path.join(ROOT, "server/emulator/phone");
const MODULES = path.join(ROOT, "node_modules");
const WORK = fs.mkdtempSync(path.join(os.tmpdir(), "phone-"));
const HTML = fs.readFileSync(path.join(HOME, "page/index.html"), "utf8").replace(/<script.*<\/script>|<link[^>]*>/g, "");
const START = { person: "wei", path: "", query: {}, scene: 1001, mode: "default" };

after(() => fs.rmSync(WORK, { recursive: true }));

let made;
const runtime = async () => {
  const out = path.join(WORK, "runtime.js");
  made ??= buildRuntime({ home: HOME, out, modules: MODULES }).then(() => fs.readFileSync(out, "utf8"));
  return made;
};

/** Writes an app: file names with their texts; `json` for values. */
export function write(files) {
  const root = fs.mkdtempSync(path.join(WORK, "app-"));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), typeof text === "string" ? text : JSON.stringify(text));
  }
  return root;
}

/** The compiled text of an app, or the compiler's complaint; without `warn` what WeChat warns of is a fault. */
export const compiled = (files, modules = MODULES, warn = undefined) =>
  bundle({ root: write(files), modules, elements: elementTags(), cache: new Cache(path.join(WORK, "none"), ""), strict: !warn, warn });

/** A whole app as `make run` builds it; `KEPU_BUILT` may name a folder where that was done before. */
export async function built(app = path.join(ROOT, "miniprogram")) {
  const out = process.env.KEPU_BUILT ?? path.join(WORK, "built");
  await build({ app, out, modules: MODULES, strict: true });
  const [bundle, framework] = ["app.js", "runtime.js"].map((name) => new Script(fs.readFileSync(path.join(out, name), "utf8"), { filename: name }));
  return { bundle, framework };
}

/** An app of one page: its template and its script. */
export const onePage = (wxml, script = "", more = {}) => ({
  "app.json": { pages: ["p/index"], window: { navigationBarTitleText: "测试" } },
  "p/index.wxml": wxml,
  "p/index.ts": script.includes("Page(") || script.includes("Component(") ? script : `Page({ seen: [], see(e) { this.seen.push(e) }, ${script} })`,
  ...more,
});

/** A shell that answers from a table; whatever it was asked is kept in `asked`. */
export function shell(answers = {}, start = {}) {
  const usual = { privacyState: { needAuthorization: false, privacyContractName: "" }, login: { code: "code-1" } };
  const asked = [];
  return {
    asked,
    start: { ...START, ...start },
    clockAhead: 0,
    join(program) {
      this.program = program;
    },
    async ask(kind, facts) {
      asked.push([kind, facts]);
      const answer = { ...usual, ...answers }[kind];
      if (answer === undefined) throw new Error(`nobody answers ${kind}`);
      if (answer.refusal) throw answer.refusal;
      return typeof answer === "function" ? answer(facts) : answer;
    },
  };
}

/**
 * Opens an app: its files, or what `built` gave. `answers` is the shell's table, `net(url, init, window)`
 * the network, `theme` a media query of the dark; with a `clock` the phone's time stands still unless the test lets it pass; `before(window)`
 * may change the window before anything of the program runs.
 */
export async function open(files, { answers, start, net = () => new Response("", { status: 404 }), modules, clock, search = "", storage = [], before, warn, theme } = {}) {
  const [text, framework] = files.bundle ? [files.bundle, files.framework] : await Promise.all([compiled(files, modules, warn), runtime()]);
  const quiet = new VirtualConsole();
  const dom = new JSDOM(HTML, { url: `http://127.0.0.1/phone/app/${search}`, runScripts: "outside-only", pretendToBeVisual: true, virtualConsole: quiet });
  const { window } = dom;
  const calls = [];
  Object.assign(window, {
    Headers, Response, TextEncoder, structuredClone, AbortController,
    matchMedia: () => theme ?? { matches: false, addEventListener() {} },
    IntersectionObserver: class {
      observe() {}
      disconnect() {}
    },
    CSS: { escape: (text) => text },
    fetch: async (url, init = {}) => {
      calls.push([url, init]);
      return net(url, init, window);
    },
    shell: shell(answers, start),
  });
  clock?.install(window);
  // jsdom plays nothing.
  Object.assign(window.HTMLMediaElement.prototype, {
    pause: () => undefined,
    async play() {
      (window.__played ??= []).push(this.src);
    },
  });
  window.URL.createObjectURL = (blob) => `blob:${blob.size}`;
  for (const [key, text] of storage) window.localStorage.setItem(key, text);
  before?.(window);
  const run = (code) => (code instanceof Script ? code.runInContext(dom.getInternalVMContext()) : window.eval(code));
  run(text);
  // Nothing is laid out here: a whole app's sheets would only be parsed in vain.
  if (files.bundle) for (const name of Object.keys(window.__mp.sheets)) window.__mp.sheets[name] = "";
  run(framework);
  after(() => window.close());
  await soon();
  return new Phone(window, calls, clock);
}

/** After every timer of no length. */
export const soon = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

/** What must come soon, however busy the machine is. */
const PATIENCE_MS = 20_000;
const tidy = (text) => text.replace(/\s+/g, " ").trim();

class Phone {
  constructor(window, calls, clock) {
    Object.assign(this, { window, calls, clock, shell: window.shell });
  }

  get wx() {
    return this.window.wx;
  }

  /** The answer of a function of wx that tells it by callbacks alone. */
  promised(name, options = {}) {
    return new Promise((success, fail) => this.wx[name]({ ...options, success, fail }));
  }

  get stack() {
    return this.window.getCurrentPages();
  }

  get page() {
    return this.stack.at(-1);
  }

  get seen() {
    return [...this.page.seen];
  }

  get frame() {
    return [...this.window.document.querySelectorAll(".wx-frame")].find((frame) => !frame.hidden);
  }

  get words() {
    return tidy(this.frame.textContent);
  }

  /** What lies over the page: a toast, a dialog. */
  get overWords() {
    return tidy(this.window.document.querySelector("#wx-overlay").textContent);
  }

  /** Waits until `fits` is true of the phone; `told` is said where it never is. */
  async until(fits, told) {
    const end = performance.now() + PATIENCE_MS;
    while (!fits()) {
      if (performance.now() > end) throw new Error(`${typeof told === "function" ? told() : told} did not come`);
      await soon();
    }
  }

  /** Waits until page or overlay says these words. */
  says(words) {
    const said = () => `${this.words} ${this.overWords}`;
    return this.until(() => said().includes(words), () => `"${words}" (but "${said()}")`);
  }

  /** Lets time go by until these words come. */
  async comes(words, step = 500) {
    const said = () => `${this.words} ${this.overWords}`;
    await this.until(
      () => said().includes(words) || void (this.passing ??= this.pass(step).finally(() => (this.passing = null))),
      () => `"${words}" (but "${said()}")`,
    );
    await this.passing;
  }

  /** Lets time go by on the phone. */
  pass(ms) {
    return this.clock.pass(ms, soon);
  }

  /** The innermost element of the page with just these words. */
  named(words) {
    const all = this.all("*").filter((one) => tidy(one.textContent) === words || one.getAttribute("aria-label") === words);
    const found = all.find((one) => !all.some((other) => other !== one && one.contains(other)));
    if (!found) throw new Error(`nothing on the page is "${words}": ${this.words}`);
    return found;
  }

  /** Waits for the element with these words and taps it. */
  async tapWords(words) {
    await this.says(words);
    await this.tap(this.named(words));
  }

  get errors() {
    return this.window.__errors;
  }

  get missing() {
    return this.window.__missing;
  }

  $(selector) {
    return this.window.document.querySelector(`.wx-frame:not([hidden]) ${selector}`);
  }

  all(selector) {
    return [...this.window.document.querySelectorAll(`.wx-frame:not([hidden]) ${selector}`)];
  }

  over(selector) {
    return this.window.document.querySelector(`#wx-overlay ${selector}`);
  }

  async tap(target) {
    const element = typeof target === "string" ? this.$(target) : target;
    element.dispatchEvent(new this.window.MouseEvent("click", { bubbles: true, composed: true, cancelable: true }));
    await soon();
  }

  /** Presses the overlay's button with these words. */
  async press(words) {
    const found = [...this.window.document.querySelectorAll("#wx-overlay button")].find((one) => one.textContent === words);
    await this.tap(found);
  }

  async touch(element, type, at = [0, 0], options = {}) {
    const event = new this.window.Event(type, { bubbles: true, composed: true, cancelable: true });
    const finger = { identifier: 0, clientX: at[0], clientY: at[1] };
    Object.assign(event, { touches: type === "touchend" ? [] : [finger], changedTouches: [finger], ...options });
    element.dispatchEvent(event);
    return event;
  }

  field(selector) {
    return this.$(`${selector} input, ${selector} textarea`) ?? this.$(`${selector} > *`);
  }

  /** Takes the focus out of a field, as a tap elsewhere does. */
  async leave(selector) {
    this.field(selector).dispatchEvent(new this.window.Event("blur", { composed: true }));
    await soon();
  }

  async type(selector, text) {
    const box = this.field(selector);
    box.value = text;
    box.dispatchEvent(new this.window.Event("input", { bubbles: true, composed: true }));
    await soon();
  }
}

/** A value of the phone's realm as one of ours, so that it compares. */
export const plain = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
