// A short vibration; does nothing where the browser cannot vibrate.

import type { Family } from "./api.ts";

export const vibrate: Family = (_phone, add) => {
  const shake = (ms: number) => (): void => {
    if ("vibrate" in navigator) navigator.vibrate(ms);
  };
  add.later("vibrateShort", shake(15));
  add.later("vibrateLong", shake(400));
};
