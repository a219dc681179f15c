// The mini-program inside the phone: its frame, its start, and the requests of its runtime.
// server/emulator/phone/SHELL.md describes the protocol.

import { answers } from "./asks.js";
import { $, make, shown } from "./dom.js";
import { onBack } from "./history.js";
import { person, phone } from "./state.js";

const PATIENCE = 10000, FROM_LIST = 1001, FROM_SINGLE_PAGE = 1155;

let frame = null, program = null, start = null, fresh = false, timer = 0, online = true, ran = false;

onBack(() => phone.view === "app" && program !== null && program.back());

window.shell = {
  get start() { return start; },
  get clockAhead() { return phone.ahead * 1000; },
  join(joined) {
    program = joined;
    ran = true;
    tellNetwork();
    clearTimeout(timer);
    shown("program-loading", false);
    shown("program-trouble", false);
    if (phone.view !== "app") program.hide();
  },
  async ask(kind, facts = {}) {
    const answer = answers[kind];
    if (answer === undefined) throw { errCode: -1, errMsg: `the phone knows no ${kind}` };
    try {
      return await answer(facts, start);
    } catch (error) {
      throw error instanceof Error ? { errCode: -1, errMsg: error.message } : error;
    }
  },
};

export const running = () => program;

/** Whether the mini-program has run in this tab. */
export const ranOnce = () => ran;

/** Passes the browser's network state on to the mini-program. */
export function setNetwork(up) {
  if (online === up) return;
  online = up;
  if (program !== null) tellNetwork();
}

function tellNetwork() {
  const inside = frame.contentWindow, up = online;
  if (inside.navigator.onLine === up) return;
  Object.defineProperty(inside.navigator, "onLine", { configurable: true, get: () => up });
  inside.dispatchEvent(new Event(up ? "online" : "offline"));
}

export const stopProgram = () => {
  frame?.remove();
  frame = program = null;
};

/** Opens a page; without a path, returns to where the mini-program was left. */
export function openProgram({ path = "", query = {}, scene = FROM_LIST, mode = "default", ...more }) {
  if (start !== null && start.mode !== mode) stopProgram();
  start = { person, path, query, scene, mode, ...more };
  fresh = true;
  if (phone.view === "app") enterProgram();
  else location.hash = "app";
}

/** Opens an address like "pages/a/index?x=1", as menus, links and notices contain it. */
export function openAddress(address, scene) {
  const [path, query = ""] = address.replace(/^\//, "").split("?");
  openProgram({ path, query: cut(query), scene });
}

/** Splits a query; WeChat decodes nothing in it. */
function cut(query) {
  return Object.fromEntries(query.split("&").filter(Boolean).map((piece) => {
    const at = piece.indexOf("=");
    return at < 0 ? [piece, ""] : [piece.slice(0, at), piece.slice(at + 1)];
  }));
}

/** Shows the mini-program's frame, at the requested page or at the last one. */
export function enterProgram() {
  if (!fresh) start = { person, path: "", query: {}, scene: FROM_LIST, mode: "default" };
  fresh = false;
  shown("program-enter", start.mode === "singlePage");
  if (frame === null) boot();
  else program?.show(start);
  frame.focus();
}

/** Opens the page of a single-page view in the whole mini-program. */
export const enterWhole = () =>
  openProgram({ path: start.path, query: start.query, scene: FROM_SINGLE_PAGE });

/** Hides the frame for another view of WeChat; a single page ends with that. */
export function leaveProgram() {
  if (start.mode === "singlePage") stopProgram();
  else program?.hide();
}

export function boot() {
  stopProgram();
  shown("program-loading", true);
  shown("program-trouble", false);
  frame = make("iframe", { class: "program", title: phone.program.name, src: "app/" });
  frame.addEventListener("load", check);
  $("program").append(frame);
  clearTimeout(timer);
  timer = setTimeout(fail, PATIENCE);
}

/** Reports a bundle that cannot start because the response is not a page. */
function check() {
  if (frame?.contentDocument?.contentType !== "text/html") fail();
}

function fail() {
  clearTimeout(timer);
  shown("program-loading", false);
  shown("program-trouble", true);
}
