// Signing in, and the group that a card was opened from.

import type { Phone } from "../runtime/phone.ts";
import type { Family } from "./api.ts";

export const login: Family = (phone, add) => {
  add.later("login", async () => {
    notSingle(phone);
    return phone.shell.ask("login", {});
  });
  add.later("checkSession", async () => {
    notSingle(phone);
    const { valid } = await phone.shell.ask("checkSession", {});
    if (!valid) throw new Error("session time out, need relogin");
  });
  add.later("getGroupEnterInfo", () => phone.shell.ask("groupEnter", {}));
  add.later("getShareInfo", async ({ shareTicket }) => {
    if (!shareTicket) throw new Error("invalid shareTicket");
    return phone.shell.ask("groupEnter", {});
  });
};

function notSingle(phone: Phone): void {
  if (phone.start.mode === "singlePage") throw new Error("is not available in single page mode");
}
