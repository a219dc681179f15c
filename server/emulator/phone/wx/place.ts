// Position, map, telephone, and the screen's brightness.

import type { Phone } from "../runtime/phone.ts";
import type { Family } from "./api.ts";
import { text } from "./api.ts";

const UNDECLARED = "the api need to be declared in the requiredPrivateInfos field in app.json/ext.json";
/** WeChat's number for a brightness that the system controls. */
const BY_SYSTEM = -1;

declare global {
  interface Window {
    /** The screen as the program set it. */
    __screen?: { brightness: number; kept: boolean };
  }
}

export const place: Family = (phone, add) => {
  add.later("getFuzzyLocation", ({ type }) => findPosition(phone, "getFuzzyLocation", text(type) || "wgs84"));
  add.later("openLocation", async ({ latitude, longitude, name, address, scale = 18 }) => {
    for (const degrees of [latitude, longitude]) if (typeof degrees !== "number" || !Number.isFinite(degrees)) throw new Error("invalid coordinate");
    await phone.shell.ask("map", { latitude: latitude as number, longitude: longitude as number, name: text(name), address: text(address), scale: Number(scale) });
  });
  add.later("makePhoneCall", async ({ phoneNumber }) => {
    if (!text(phoneNumber)) throw new Error("parameter error: parameter.phoneNumber should be String instead of Undefined;");
    const { called } = await phone.shell.ask("phoneCall", { phoneNumber: text(phoneNumber) });
    if (!called) throw new Error("cancel");
  });
  addScreen(add);
};

/** The position, after the privacy contract and the person's permission. */
async function findPosition(phone: Phone, name: string, type: string): Promise<{ latitude: number; longitude: number }> {
  if (!phone.program.app.requiredPrivateInfos?.includes(name)) throw new Error(UNDECLARED);
  await phone.privacy.ensure(name);
  const found = await phone.shell.ask("position", { type, purpose: phone.program.app.permission?.["scope.userFuzzyLocation"]?.desc ?? "" });
  if (!found) throw new Error("auth deny");
  return found;
}

function addScreen(add: Parameters<Family>[1]): void {
  const screen = (): { brightness: number; kept: boolean } => (window.__screen ??= { brightness: BY_SYSTEM, kept: false });
  add.later("getScreenBrightness", () => ({ value: screen().brightness }));
  add.later("setScreenBrightness", ({ value }) => {
    const wanted = Number(value);
    if (wanted !== BY_SYSTEM && !(wanted >= 0 && wanted <= 1)) throw new Error("value must be between 0 and 1");
    screen().brightness = wanted;
  });
  add.later("setKeepScreenOn", ({ keepScreenOn }) => void (screen().kept = Boolean(keepScreenOn)));
}
