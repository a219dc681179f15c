// The confirmation before leaving a page: on the back button, never on an API call.

import type { Phone } from "../runtime/phone.ts";
import type { Family } from "./api.ts";
import { text } from "./api.ts";

export const leaving: Family = (phone, add) => {
  add.later("enableAlertBeforeUnload", ({ message }) => {
    if (!text(message)) throw new Error("parameter error: parameter.message should be String instead of Undefined");
    phone.router.top.leaveQuestion = text(message);
  });
  add.later("disableAlertBeforeUnload", () => void (phone.router.top.leaveQuestion = ""));
};

/** Handles the back button: goes back, after the page's confirmation if it has one. */
export async function backPressed(phone: Phone): Promise<void> {
  const page = phone.router.top;
  if (page.leaveQuestion) {
    const { confirm } = await phone.overlay.dialog({ content: page.leaveQuestion });
    if (!confirm || phone.router.top !== page) return;
  }
  phone.router.navigateBack(1);
}
