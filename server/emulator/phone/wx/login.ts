// Login, and the group of the card that opened the program.

import type { Family } from "./api.ts";

export const login: Family = (phone, add) => {
  add.later("login", () => phone.shell.ask("login", {}));
  add.later("checkSession", async () => {
    const { valid } = await phone.shell.ask("checkSession", {});
    if (!valid) throw new Error("session time out, need relogin");
  });
  add.later("getGroupEnterInfo", () => phone.shell.ask("groupEnter", {}));
  add.later("getShareInfo", async ({ shareTicket }) => {
    if (!shareTicket) throw new Error("invalid shareTicket");
    return phone.shell.ask("groupEnter", {});
  });
};
