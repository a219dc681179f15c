// Who the mini-program is, and the official account that belongs to it.

import type { Family } from "./api.ts";

export const account: Family = (phone, add) => {
  add.now("getAccountInfoSync", () => ({ miniProgram: { appId: "wx0000000000000000", envVersion: "develop", version: "" } }));
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
