// Facts about the mini-program, and its official account.

import type { Family } from "./api.ts";

/** The appid that WeChat's tools use for a program without its own. */
const TOURIST = "touristappid";

declare global {
  interface Window {
    /** The account of this program, set by the emulator. */
    __account?: { appId: string };
  }
}

export const account: Family = (phone, add) => {
  add.now("getAccountInfoSync", () => ({ miniProgram: { appId: window.__account?.appId ?? TOURIST, envVersion: "develop", version: "" } }));
  add.later("getUserProfile", ({ desc }) => {
    if (!desc) throw new Error("parameter error: parameter.desc should be String");
    // WeChat closed this API in 2022: it returns this name and no picture for every person.
    return { userInfo: { nickName: "微信用户", avatarUrl: "", gender: 0, country: "", province: "", city: "", language: "" }, rawData: "", signature: "" };
  });
  add.later("openOfficialAccountProfile", async () => {
    if (!phone.taps.tapped) throw new Error("can only be invoked by user TAP gesture.");
    return phone.shell.ask("officialAccount", {});
  });
  add.later("exitMiniProgram", () => phone.shell.ask("close", {}));
};
