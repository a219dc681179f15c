// Page settings in the page's own template.

import type { ElementKind, Host } from "../runtime/element.ts";
import { lengths } from "../runtime/backend.ts";

export const pageMeta: ElementKind = {
  tag: "page-meta",
  shell: "slot",
  properties: {
    backgroundTextStyle: "", backgroundColor: "", backgroundColorTop: "", backgroundColorBottom: "", rootBackgroundColor: "", scrollTop: "",
    scrollDuration: 300, pageStyle: "", rootFontSize: "", pageFontSize: "", pageOrientation: "",
  },
  mount(host) {
    const page = host.el.closest<HTMLElement>("wx-page");
    if (!page) return undefined;
    const base = page.getAttribute("style") ?? "";
    const draw = (): void => {
      page.setAttribute("style", [base, lengths(host.text("pageStyle"))].filter(Boolean).join(";"));
      if (host.text("pageFontSize")) page.style.fontSize = fontSize(host);
      if (host.text("backgroundColor")) page.style.backgroundColor = host.text("backgroundColor");
      document.documentElement.style.fontSize = host.text("rootFontSize") === "system" ? fontSize(host) : host.text("rootFontSize");
    };
    const tell = (): void => host.emit("scroll", { scrollTop: page.scrollTop });
    page.addEventListener("scroll", tell, { passive: true });
    draw();
    return {
      update: (name) => {
        draw();
        if (name === "scrollTop" && host.text("scrollTop")) page.scrollTop = parseFloat(host.text("scrollTop"));
      },
      unmount: () => page.removeEventListener("scroll", tell),
    };
  },
};

function fontSize(host: Host): string {
  const said = host.text("pageFontSize") || host.text("rootFontSize");
  if (said !== "system") return said;
  const facts = host.phone.api["getAppBaseInfo"] as () => { fontSizeSetting: number };
  return `${facts().fontSizeSetting}px`;
}
