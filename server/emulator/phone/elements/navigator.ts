// A link to another page of the mini-program.

import type { ElementKind, Host } from "../runtime/element.ts";
import { failure, missing } from "../runtime/trouble.ts";
import { pressable } from "./parts/control.ts";
import { hoverable } from "./parts/hover.ts";

const MOVES: Record<string, string> = {
  navigate: "navigateTo", redirect: "redirectTo", switchTab: "switchTab", reLaunch: "reLaunch", navigateBack: "navigateBack", exit: "exitMiniProgram",
};

export const navigator: ElementKind = {
  tag: "navigator",
  shell: "slot",
  properties: { target: "self", url: "", openType: "navigate", delta: 1, appId: "", path: "", version: "release", hoverClass: "navigator-hover" },
  mount(host) {
    hoverable(host);
    if (!host.el.hasAttribute("role")) host.el.setAttribute("role", "link");
    pressable(host, () => move(host));
  },
};

function move(host: Host): void {
  const name = MOVES[host.text("openType")];
  if (host.text("target") === "miniProgram" && host.text("openType") !== "exit") return elsewhere(host);
  if (!name) return failure(`navigator: there is no open-type ${host.text("openType")}`);
  const call = host.phone.api[name] as (options: object) => void;
  call({
    url: host.text("url"),
    delta: host.number("delta"),
    success: (facts: object) => host.emit("success", facts),
    fail: (facts: object) => host.emit("fail", facts),
    complete: (facts: object) => host.emit("complete", facts),
  });
}

/** Handles a link to another mini-program, which this phone does not have. */
function elsewhere(host: Host): void {
  missing('<navigator target="miniProgram">: other mini-programs');
  const facts = { errMsg: "navigateToMiniProgram:fail not in this phone" };
  for (const type of ["fail", "complete"]) host.emit(type, facts);
}
