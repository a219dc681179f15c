// Vibrations; nothing moves where the browser cannot vibrate.

import { type Family, text } from "./api.ts";

const STRENGTHS = ["heavy", "medium", "light"];

export const vibrate: Family = (_phone, add) => {
  const shake = (ms: number) => (): void => {
    if ("vibrate" in navigator) navigator.vibrate(ms);
  };
  add.later("vibrateShort", ({ type }) => {
    // WeChat requires the strength since library 2.13.0.
    if (!STRENGTHS.includes(text(type))) throw new Error("style is not support");
    shake(15)();
  });
  add.later("vibrateLong", shake(400));
};
