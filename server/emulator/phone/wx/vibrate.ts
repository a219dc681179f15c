// A short shake; a browser without a motor does nothing.

import type { Family } from "./api.ts";

export const vibrate: Family = (_phone, add) => {
  const shake = (ms: number) => (): void => {
    if ("vibrate" in navigator) navigator.vibrate(ms);
  };
  add.later("vibrateShort", shake(15));
  add.later("vibrateLong", shake(400));
};
