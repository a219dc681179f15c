// How the mini-program was launched.

import type { Family } from "./api.ts";

export const launch: Family = (phone, add) => {
  add.now("getLaunchOptionsSync", () => structuredClone(phone.app.launched));
  add.now("getEnterOptionsSync", () => structuredClone(phone.app.entered));
  add.now("getApiCategory", () => ({ apiCategory: phone.app.entered.apiCategory }));
};
