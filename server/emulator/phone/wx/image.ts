// Pictures: information, and full-screen preview.

import type { Phone } from "../runtime/phone.ts";
import type { Family } from "./api.ts";
import { text } from "./api.ts";
import { make } from "../runtime/overlay.ts";

export const image: Family = (phone, add) => {
  add.later("getImageInfo", ({ src }) => info(phone, text(src)));
  add.later("previewImage", ({ urls, current }) => {
    const list = (urls as string[] | undefined) ?? [];
    if (!list.length) throw new Error("parameter error: parameter.urls should be Array");
    preview(phone, list, typeof current === "number" ? current : Math.max(0, list.indexOf(text(current))));
  });
};

function info(phone: Phone, path: string): Promise<object> {
  return new Promise((resolve, reject) => {
    const picture = new Image();
    picture.onload = () =>
      resolve({ width: picture.naturalWidth, height: picture.naturalHeight, path, orientation: "up", type: path.split(".").at(-1) ?? "" });
    picture.onerror = () => reject(new Error("download image fail"));
    picture.src = phone.files.url(path, phone.router.top.path);
  });
}

function preview(phone: Phone, urls: string[], first: number): void {
  const { mask, box } = phone.overlay.sheet("wx-preview", "图片预览");
  const picture = box.appendChild(make("img", ""));
  let at = first;
  const show = (): void => {
    picture.src = phone.files.url(urls[at]!, phone.router.top.path);
    picture.alt = `第 ${at + 1} 张，共 ${urls.length} 张`;
  };
  picture.addEventListener("click", (event) => {
    if (urls.length < 2) return;
    event.stopPropagation();
    at = (at + 1) % urls.length;
    show();
  });
  mask.addEventListener("click", () => mask.remove());
  show();
}
