// The clipboard of this phone: one text, stored here so that the browser needs no permission.

import type { Family } from "./api.ts";
import { text } from "./api.ts";

export const clipboard: Family = (phone, add) => {
  let kept = "";
  add.later("setClipboardData", async ({ data }) => {
    await phone.privacy.ensure("setClipboardData");
    if (text(data) === "") throw new Error("data is empty");
    kept = text(data);
    phone.overlay.toast("内容已复制", { icon: "success", ms: 1500, mask: false });
  });
  add.later("getClipboardData", async () => {
    await phone.privacy.ensure("getClipboardData");
    return { data: kept };
  });
};
