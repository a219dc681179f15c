// A one-line field; `type="nickname"` suggests the WeChat nickname.

import { inner, type ElementKind } from "../runtime/element.ts";
import { nickname } from "./parts/nickname.ts";
import { TYPING, typing } from "./parts/typing.ts";

const MODES: Record<string, string> = { number: "numeric", digit: "decimal", idcard: "text", tel: "tel" };
const KEYS: Record<string, string> = { send: "send", search: "search", next: "next", go: "go", done: "done" };

export const input: ElementKind = {
  tag: "input",
  shell: "empty",
  properties: { ...TYPING, type: "text", password: false, safePasswordCertPath: "" },
  reflect: ["type", "disabled"],
  mount(host) {
    const box = inner(host, "input");
    const kind = (): void => {
      box.type = host.flag("password") || host.text("type") === "safe-password" ? "password" : "text";
      box.inputMode = MODES[host.text("type")] ?? "text";
      box.enterKeyHint = KEYS[host.text("confirmType")] ?? "done";
    };
    kind();
    if (host.text("type") === "nickname") nickname(host, box);
    const typed = typing(host, box);
    return { update: (name) => (kind(), typed.update?.(name)) };
  },
};
