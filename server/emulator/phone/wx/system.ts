// System and device information.

import { elements } from "../elements/index.ts";
import { barHeight } from "../runtime/chrome.ts";
import type { Phone } from "../runtime/phone.ts";
import type { Family, Options } from "./api.ts";

const VERSION = "3.8.0";
/** The font size set in WeChat, in px; the address of the shell's page may set it. */
const fontSize = (): number => Number(new URLSearchParams(location.search).get("fontSize") ?? 16);
const DEVICE = { brand: "devtools", model: "browser", system: "iOS 17", platform: "devtools", abi: "", benchmarkLevel: 1, memorySize: 4096 };

export const system: Family = (phone, add) => {
  const base = (): object => ({
    SDKVersion: VERSION, version: "8.0.50", language: "zh_CN", theme: phone.theme.told, fontSizeSetting: fontSize(), enableDebug: false, host: { env: "WeChat" },
  });
  const whole = (): object => ({ ...DEVICE, ...base(), ...windowInfo(phone) });
  add.now("getWindowInfo", () => windowInfo(phone));
  add.now("getAppBaseInfo", base);
  add.now("getDeviceInfo", () => DEVICE);
  add.now("getSystemSetting", () => ({ bluetoothEnabled: false, locationEnabled: false, wifiEnabled: true, deviceOrientation: "portrait" }));
  add.now("getAppAuthorizeSetting", () => ({ cameraAuthorized: "authorized", albumAuthorized: "authorized", notificationAuthorized: "authorized" }));
  add.now("getSystemInfoSync", whole);
  // Programs rely on the synchronous callback.
  add.now("getSystemInfo", ({ success, complete }: Options = {}) => {
    const facts = { ...whole(), errMsg: "getSystemInfo:ok" };
    for (const hear of [success, complete]) hear?.(facts);
    return success || complete ? undefined : Promise.resolve(facts);
  });
  add.later("getSystemInfoAsync", whole);
  add.now("getMenuButtonBoundingClientRect", menuButton);
  add.now("canIUse", (name: string) => canUse(phone, name));
};

function windowInfo(phone: Phone): object {
  const [screenWidth, screenHeight] = [window.innerWidth, window.innerHeight];
  const { width, height } = phone.chrome.area();
  return {
    pixelRatio: devicePixelRatio,
    screenWidth, screenHeight,
    windowWidth: width, windowHeight: height,
    statusBarHeight: 0, screenTop: barHeight(),
    safeArea: { left: 0, right: screenWidth, top: 0, bottom: screenHeight, width: screenWidth, height: screenHeight },
  };
}

/** The position of the capsule that the shell draws over the frame. */
function menuButton(): object {
  const [width, height, top, right] = [96, 44, 4, window.innerWidth - 10];
  return { width, height, top, right, bottom: top + height, left: right - width };
}

function canUse(phone: Phone, name: string): boolean {
  const [first = ""] = name.split(".");
  return first in phone.api || elements.some((kind) => kind.tag === first);
}
