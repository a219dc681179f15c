// Who the mini-program is, and the official account that belongs to it.

import type { Family } from "./api.ts";

/** What WeChat's tools call a program without an appid of its own. */
const TOURIST = "touristappid";

declare global {
  interface Window {
    /** Whose program this is, as the emulator says. */
    __account?: { appId: string };
  }
}

export const account: Family = (phone, add) => {
  add.now("getAccountInfoSync", () => ({ miniProgram: { appId: window.__account?.appId ?? TOURIST, envVersion: "develop", version: "" } }));
  add.later("getUserProfile", ({ desc }) => {
    if (!desc) throw new Error("parameter error: parameter.desc should be String");
    // Closed since 2022: everybody has this name and no picture.
    return { userInfo: { nickName: "微信用户", avatarUrl: "", gender: 0, country: "", province: "", city: "", language: "" }, rawData: "", signature: "" };
  });
  add.later("openOfficialAccountProfile", async () => {
    if (!phone.taps.tapped) throw new Error("can only be invoked by user TAP gesture.");
    return phone.shell.ask("officialAccount", {});
  });
  add.later("exitMiniProgram", () => phone.shell.ask("close", {}));
};
