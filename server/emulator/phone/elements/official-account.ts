// The official account's card; it appears only after the scenes in which WeChat shows it.

import { inner, type ElementKind } from "../runtime/element.ts";
import { failure, wordsOf } from "../runtime/trouble.ts";

const SCENES = new Set([1011, 1017, 1025, 1047, 1124]);
const NOT_HERE = 5;

export const officialAccount: ElementKind = {
  tag: "official-account",
  shell: "empty",
  mount(host) {
    if (!SCENES.has(host.phone.app.launched.scene)) {
      host.el.hidden = true;
      window.setTimeout(() => host.emit("error", { status: NOT_HERE, errMsg: "scene is not allowed" }), 0);
      return;
    }
    const button = inner(host, "button");
    button.type = "button";
    button.textContent = "关注公众号";
    button.addEventListener("click", () => {
      host.phone.shell.ask("officialAccount", {}).catch((thrown: unknown) => failure(`official-account: ${wordsOf(thrown)}`));
    });
    window.setTimeout(() => host.emit("load", { status: 0, errMsg: "ok" }), 0);
  },
};
