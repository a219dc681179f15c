// Toast, loading, dialog, action sheet.

import type { DialogOptions } from "../runtime/overlay.ts";
import type { Family, Options } from "./api.ts";
import { text } from "./api.ts";

const TOAST_MS = 1500;
const MOST_ITEMS = 6;

export const ui: Family = (phone, add) => {
  add.later("showToast", ({ title, icon = "success", image, duration = TOAST_MS, mask }) => {
    const picture = image ? phone.files.url(text(image), phone.router.top.path) : undefined;
    phone.overlay.toast(text(title), { icon: text(icon), image: picture, ms: Number(duration), mask: Boolean(mask) });
  });
  add.later("showLoading", ({ title, mask }) => phone.overlay.toast(text(title), { icon: "loading", ms: null, mask: Boolean(mask) }));
  add.later("hideToast", () => phone.overlay.hideToast());
  add.later("hideLoading", () => phone.overlay.hideToast());
  add.later("showModal", async (options) => {
    short(options, "confirmText");
    short(options, "cancelText");
    const { content, ...answer } = await phone.overlay.dialog(options as DialogOptions);
    return { ...answer, ...(options["editable"] ? { content } : {}) };
  });
  add.later("showActionSheet", async ({ itemList, itemColor, alertText }) => {
    const items = (itemList as string[] | undefined) ?? [];
    if (items.length === 0 || items.length > MOST_ITEMS) throw new Error("parameter error: itemList should have 1 to 6 items");
    const chosen = await phone.overlay.choose(items, { color: itemColor ? text(itemColor) : undefined, title: text(alertText) });
    if (chosen === null) throw new Error("cancel");
    return { tapIndex: chosen };
  });
};

/** Checks that a dialog button has at most four characters. */
function short(options: Options, name: string): void {
  if (text(options[name]).length > 4) throw new Error(`${name} length should not larger than 4 Chinese characters`);
}
