// Navigation-bar settings in the page's own template.

import type { ElementKind } from "../runtime/element.ts";
import { isAlone } from "../runtime/single.ts";

export const navigationBar: ElementKind = {
  tag: "navigation-bar",
  shell: "empty",
  properties: { title: "", loading: false, frontColor: "", backgroundColor: "", colorAnimationDuration: 0, colorAnimationTimingFunc: "linear" },
  mount(host) {
    const draw = (): void => {
      const page = host.phone.router.stack.find((one) => one.frame.contains(host.el));
      if (!page || isAlone(host.phone)) return;
      const { changed } = page;
      if (host.text("title")) changed.navigationBarTitleText = host.text("title");
      if (host.text("frontColor")) changed.navigationBarTextStyle = host.text("frontColor") === "#000000" ? "black" : "white";
      if (host.text("backgroundColor")) changed.navigationBarBackgroundColor = host.text("backgroundColor");
      if (page === host.phone.router.top) host.phone.chrome.refresh();
    };
    draw();
    return { update: draw };
  },
};
