// Moving between pages.

import type { Family } from "./api.ts";
import { text } from "./api.ts";

export const navigation: Family = (phone, add) => {
  add.later("navigateTo", ({ url, events }) => {
    const channel = phone.router.navigateTo(text(url));
    for (const [name, hear] of Object.entries((events as object | undefined) ?? {})) channel.on(name, hear as never);
    return { eventChannel: channel };
  });
  add.later("redirectTo", ({ url }) => phone.router.redirectTo(text(url)));
  add.later("switchTab", ({ url }) => phone.router.switchTab(text(url)));
  add.later("reLaunch", ({ url }) => phone.router.reLaunch(text(url)));
  add.later("navigateBack", ({ delta = 1 }) => phone.router.navigateBack(Number(delta)));
};
