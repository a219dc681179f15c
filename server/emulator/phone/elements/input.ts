// A one-line field; `type="nickname"` offers WeChat's own nickname.

import { inner, type ElementKind, type Host } from "../runtime/element.ts";
import { failure, wordsOf } from "../runtime/trouble.ts";
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
    if (host.text("type") === "nickname") offerNickname(host, box);
    const typed = typing(host, box);
    return { update: (name) => (kind(), typed.update?.(name)) };
  },
};

/** On the first focus the person may take the name that WeChat knows; refused, it is a plain field. */
function offerNickname(host: Host, box: HTMLInputElement): void {
  let offered = false;
  const offer = async (): Promise<void> => {
    try {
      await host.phone.privacy.ensure("input type=nickname");
    } catch {
      // WeChat turns the field into a plain one and says nothing.
      return;
    }
    const { name } = await host.phone.shell.ask("nickname", {});
    if (name === null) return;
    box.value = name;
    host.change({ value: name });
    host.emit("input", { value: name, cursor: name.length });
    host.emit("nicknamereview", { pass: true, timeout: false });
  };
  box.addEventListener("focus", () => {
    if (offered || box.value) return;
    offered = true;
    offer().catch((thrown: unknown) => failure(`nickname: ${wordsOf(thrown)}`));
  });
}
