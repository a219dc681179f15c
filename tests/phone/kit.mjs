// A phone in Node: small mini-programs written in the test, compiled and run as in the browser.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { JSDOM, VirtualConsole } from "jsdom";
import { elementTags } from "../../server/sandbox/phone/build.mjs";
import { bundle } from "../../server/sandbox/phone/compile/bundle.mjs";
import { Cache } from "../../server/sandbox/phone/compile/cache.mjs";
import { buildRuntime } from "../../server/sandbox/phone/compile/runtime.mjs";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const HOME = path.join(ROOT, "server/sandbox/phone");
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

/** The compiled text of an app, or the compiler's complaint. */
export const compiled = (files, modules = MODULES) =>
  bundle({ root: write(files), modules, elements: elementTags(), cache: new Cache(path.join(WORK, "none"), "") });

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

/** Opens an app. `answers` is the shell's table, `net(url, init)` the network. */
export async function open(files, { answers, start, net = () => new Response("", { status: 404 }), modules } = {}) {
  const [text, framework] = await Promise.all([compiled(files, modules), runtime()]);
  const quiet = new VirtualConsole();
  const dom = new JSDOM(HTML, { url: "http://127.0.0.1/phone/app/", runScripts: "outside-only", pretendToBeVisual: true, virtualConsole: quiet });
  const { window } = dom;
  const calls = [];
  Object.assign(window, {
    Headers, Response, TextEncoder, structuredClone, AbortController,
    matchMedia: () => ({ matches: false, addEventListener() {} }),
    IntersectionObserver: class {
      observe() {}
      disconnect() {}
    },
    CSS: { escape: (text) => text },
    fetch: async (url, init = {}) => {
      calls.push([url, init]);
      return net(url, init);
    },
    shell: shell(answers, start),
  });
  window.URL.createObjectURL = (blob) => `blob:${blob.size}`;
  window.eval(text);
  window.eval(framework);
  after(() => window.close());
  await soon();
  return new Phone(window, calls);
}

/** After every timer of no length. */
export const soon = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

class Phone {
  constructor(window, calls) {
    Object.assign(this, { window, calls, shell: window.shell });
  }

  get wx() {
    return this.window.wx;
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
    return this.frame.textContent.replace(/\s+/g, " ").trim();
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

  async type(selector, text) {
    const box = this.$(`${selector} input, ${selector} textarea`) ?? this.$(`${selector} > *`);
    box.value = text;
    box.dispatchEvent(new this.window.Event("input", { bubbles: true, composed: true }));
    await soon();
  }
}

/** A value of the phone's realm as one of ours, so that it compares. */
export const plain = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
