// Permissions the person has given.

import type { Family } from "./api.ts";

export const setting: Family = (phone, add) => {
  const facts = async (withSubscriptions: unknown): Promise<object> => ({
    authSetting: {},
    ...(withSubscriptions ? { subscriptionsSetting: await phone.shell.ask("setting", {}) } : {}),
  });
  add.later("getSetting", ({ withSubscriptions }) => facts(withSubscriptions));
  add.later("openSetting", ({ withSubscriptions }) => facts(withSubscriptions));
  add.later("authorize", () => undefined);
};
