// A picture of the app or from outside, fitted according to its mode.

import { inner, type ElementKind } from "../runtime/element.ts";

export const image: ElementKind = {
  tag: "image",
  shell: "empty",
  properties: { src: "", mode: "scaleToFill", lazyLoad: false, webp: false, fadeIn: false, showMenuByLongpress: false, referrerPolicy: "" },
  reflect: ["mode"],
  mount(host) {
    const picture = inner(host, "img");
    const draw = (): void => {
      const url = host.phone.files.url(host.text("src"), host.owner);
      if (url === "") picture.removeAttribute("src");
      else if (picture.getAttribute("src") !== url) picture.src = url;
    };
    const label = (): void => {
      picture.alt = host.text("ariaLabel");
      if (!host.el.hasAttribute("role")) host.el.setAttribute("role", picture.alt ? "img" : "presentation");
    };
    picture.addEventListener("load", () => {
      host.el.style.setProperty("--ratio", `${picture.naturalWidth} / ${picture.naturalHeight}`);
      host.emit("load", { width: picture.naturalWidth, height: picture.naturalHeight });
    });
    picture.addEventListener("error", () => host.emit("error", { errMsg: `GET ${host.text("src")} failed` }));
    label();
    draw();
    return { update: (name) => (name === "src" ? draw() : label()) };
  },
};
