// A 2d canvas; a selector query returns its node.

import { inner, type ElementKind } from "../runtime/element.ts";
import { failure } from "../runtime/trouble.ts";

export const canvas: ElementKind = {
  tag: "canvas",
  shell: "empty",
  properties: { type: "", canvasId: "", disableScroll: false },
  mount(host) {
    if (host.text("type") !== "2d") failure('canvas: only type="2d" is in this phone');
    const node = inner(host, "canvas");
    const box = host.el.getBoundingClientRect();
    Object.assign(node, {
      width: box.width || 300,
      height: box.height || 150,
      createImage: () => filesImage(host.phone.files.url.bind(host.phone.files), host.owner),
      requestAnimationFrame: (run: FrameRequestCallback) => window.requestAnimationFrame(run),
      cancelAnimationFrame: (id: number) => window.cancelAnimationFrame(id),
    });
  },
};

/** An image whose `src` may be a path of the app. */
function filesImage(url: (path: string, owner: string) => string, owner: string): HTMLImageElement {
  const picture = new Image();
  let path = "";
  Object.defineProperty(picture, "src", {
    get: () => path,
    set: (value: string) => {
      path = value;
      picture.setAttribute("src", url(value, owner));
    },
  });
  return picture;
}
