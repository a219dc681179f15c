// The menu's share items.

import type { Family } from "./api.ts";

export const share: Family = (phone, add) => {
  add.later("showShareMenu", ({ withShareTicket, menus }) => {
    phone.sharing.hidden = false;
    phone.sharing.withShareTicket = Boolean(withShareTicket);
    phone.sharing.timeline = ((menus as string[] | undefined) ?? []).includes("shareTimeline");
  });
  add.later("hideShareMenu", () => void (phone.sharing.hidden = true));
  add.later("updateShareMenu", ({ withShareTicket }) => void (phone.sharing.withShareTicket = Boolean(withShareTicket)));
};
