// Data that WeChat shows but hides from the program; here the name of a group.

import type { ElementKind } from "../runtime/element.ts";
import { isAlone } from "../runtime/single.ts";
import { UNAVAILABLE } from "../runtime/trouble.ts";
import { failure } from "../runtime/trouble.ts";

export const openData: ElementKind = {
  tag: "open-data",
  shell: "empty",
  properties: { type: "", openGid: "", lang: "en", defaultText: "", defaultAvatar: "" },
  mount(host) {
    const draw = async (): Promise<void> => {
      if (isAlone(host.phone)) throw new Error(UNAVAILABLE);
      if (host.text("type") !== "groupName") {
        failure(`open-data: type ${host.text("type")} is not in this phone`);
        return;
      }
      const answer = await fetch(`/phone/group?${new URLSearchParams({ opengid: host.text("openGid") })}`);
      const { name }: { name?: string } = answer.ok ? await answer.json() : {};
      host.el.textContent = name ?? host.text("defaultText");
      if (!name) host.emit("error", {});
    };
    draw().catch(() => host.emit("error", {}));
    return { update: (name) => (name === "openGid" ? void draw().catch(() => host.emit("error", {})) : undefined) };
  },
};
