// Who the mini-program is, and the official account that belongs to it.

import type { Family } from "./api.ts";

export const account: Family = (phone, add) => {
  add.now("getAccountInfoSync", () => ({ miniProgram: { appId: "wx0000000000000000", envVersion: "develop", version: "" } }));
  add.later("openOfficialAccountProfile", async () => {
    if (!phone.taps.tapped) throw new Error("can only be invoked by user TAP gesture.");
    return phone.shell.ask("officialAccount", {});
  });
  add.later("exitMiniProgram", () => phone.shell.ask("close", {}));
};
