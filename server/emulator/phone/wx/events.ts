// Global events: app lifecycle, network, window size.

import type { Phone } from "../runtime/phone.ts";
import type { Family } from "./api.ts";

type Hear = (facts: unknown) => void;

export const events: Family = (phone, add) => {
  for (const [name, hearers] of Object.entries(phone.app.heard)) pair(add.now, name, hearers);
  const network = new Set<Hear>();
  const resized = new Set<Hear>();
  pair(add.now, "onNetworkStatusChange", network);
  pair(add.now, "onWindowResize", resized);
  const themed = new Set<Hear>();
  pair(add.now, "onThemeChange", themed);
  phone.theme.onChange((theme) => tell(themed, { theme }));
  pair(add.now, "onMemoryWarning", new Set());
  pair(add.now, "onUserCaptureScreen", new Set());
  pair(add.now, "onKeyboardHeightChange", new Set());
  for (const name of ["online", "offline"])
    window.addEventListener(name, () => tell(network, { isConnected: navigator.onLine, networkType: networkType() }));
  window.addEventListener("resize", () => resize(phone, resized));
  add.later("getNetworkType", () => ({ networkType: networkType() }));
};

export const networkType = (): string => (navigator.onLine ? "wifi" : "none");

function resize(phone: Phone, hearers: Set<Hear>): void {
  const { width, height } = phone.chrome.area();
  const facts = { size: { windowWidth: width, windowHeight: height } };
  tell(hearers, facts);
  if (phone.router.stack.length) phone.router.top.call("onResize", facts);
}

function pair(add: (name: string, run: (hear: Hear) => void) => void, name: string, hearers: Set<Hear>): void {
  add(name, (hear) => void hearers.add(hear));
  add(name.replace(/^on/, "off"), (hear) => (hear ? void hearers.delete(hear) : hearers.clear()));
}

function tell(hearers: Set<Hear>, facts: unknown): void {
  for (const hear of hearers) hear(facts);
}
