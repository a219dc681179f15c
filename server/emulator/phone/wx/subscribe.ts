// The subscription sheet: only from a tap, at most five templates.

import type { Family } from "./api.ts";

const MOST = 5;

export const subscribe: Family = (phone, add) => {
  add.later("requestSubscribeMessage", async ({ tmplIds }) => {
    const ids = (tmplIds as string[] | undefined) ?? [];
    if (!Array.isArray(ids) || ids.length === 0) throw { errCode: 10001, errMsg: "TmplIds can't be empty" };
    if (ids.length > MOST) throw { errCode: 20003, errMsg: "Templates count out of max bound" };
    const tapped = phone.taps.tapped;
    if (!tapped) throw new Error("can only be invoked by user TAP gesture.");
    return (await phone.shell.ask("subscribe", { tmplIds: ids, tapped })).results;
  });
};
