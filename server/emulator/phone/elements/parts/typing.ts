// Shared by one-line and multi-line fields: value, focus, events, form.

import type { Host, Mounted } from "../../runtime/element.ts";

export type Box = HTMLInputElement | HTMLTextAreaElement;

export const TYPING = {
  value: "", placeholder: "", placeholderStyle: "", placeholderClass: "", disabled: false, maxlength: 140, cursorSpacing: 0, focus: false, autoFocus: false,
  confirmType: "", confirmHold: false, cursor: -1, selectionStart: -1, selectionEnd: -1, adjustPosition: true, holdKeyboard: false, name: "",
  alwaysEmbed: false, cursorColor: "", adjustKeyboardTo: "cursor", ignoreCompositionEvent: true,
};

/** Connects a DOM field to its element. */
export function typing(host: Host, box: Box): Mounted {
  const draw = (): void => {
    if (box.value !== host.text("value")) box.value = host.text("value");
    box.placeholder = host.text("placeholder");
    box.disabled = host.flag("disabled");
    const most = host.number("maxlength");
    if (most >= 0) box.maxLength = most;
    else box.removeAttribute("maxlength");
    const label = host.text("ariaLabel") || host.text("placeholder");
    if (label) box.setAttribute("aria-label", label);
  };
  const focus = (): void => {
    if (host.flag("focus") || host.flag("autoFocus")) window.setTimeout(() => box.focus({ preventScroll: true }), 0);
  };
  listen(host, box);
  host.activate = () => box.focus();
  host.field = { value: () => box.value, reset: () => host.change({ value: "" }) };
  draw();
  focus();
  return {
    update: (name) => {
      draw();
      if (name !== "focus") return;
      if (host.flag("focus")) box.focus({ preventScroll: true });
      else box.blur();
    },
  };
}

function listen(host: Host, box: Box): void {
  let composing = false;
  const tell = (): void => {
    if (composing && host.flag("ignoreCompositionEvent")) return;
    host.change({ value: box.value });
    host.emit("input", { value: box.value, cursor: box.selectionStart ?? box.value.length, keyCode: 0 });
  };
  box.addEventListener("compositionstart", () => (composing = true));
  box.addEventListener("compositionend", () => {
    composing = false;
    tell();
  });
  box.addEventListener("input", tell);
  box.addEventListener("focus", () => host.emit("focus", { value: box.value, height: 0 }));
  box.addEventListener("blur", () => host.emit("blur", { value: box.value, cursor: box.selectionStart ?? 0 }));
  box.addEventListener("keydown", (event) => {
    const key = (event as KeyboardEvent).key;
    const breaks = box instanceof HTMLTextAreaElement && (host.text("confirmType") || "return") === "return";
    if (key !== "Enter" || breaks || composing) return;
    event.preventDefault();
    host.emit("confirm", { value: box.value });
    if (!host.flag("confirmHold")) box.blur();
  });
}
