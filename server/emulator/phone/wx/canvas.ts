// Exports a canvas as a picture, and saves pictures to the album.

import { failure } from "../runtime/trouble.ts";
import type { Family, Options } from "./api.ts";
import { text } from "./api.ts";

const ALBUM_KEY = "__album";

declare global {
  interface Window {
    /** Pictures saved to the album in this run. */
    [ALBUM_KEY]?: Blob[];
  }
}

export const canvas: Family = (phone, add) => {
  add.later("canvasToTempFilePath", async (options) => {
    const type = options["fileType"] === "jpg" ? "image/jpeg" : "image/png";
    const blob = await picture(cut(options), type, Number(options["quality"] ?? 1));
    return { tempFilePath: phone.files.keep(blob, type === "image/jpeg" ? "jpg" : "png") };
  });
  add.later("saveImageToPhotosAlbum", async ({ filePath }) => {
    await phone.privacy.ensure("saveImageToPhotosAlbum");
    const blob = phone.files.blob(text(filePath)) ?? (await ownFile(phone.files.url(text(filePath), phone.router.top.path)));
    (window[ALBUM_KEY] ??= []).push(blob);
  });
  add.now("createOffscreenCanvas", ({ width = 300, height = 150 }: { width?: number; height?: number } = {}) =>
    Object.assign(document.createElement("canvas"), { width, height, createImage: () => new Image() }));
};

/** Copies the requested part of the canvas at the requested size. */
function cut(options: Options): HTMLCanvasElement {
  const source = options["canvas"];
  if (!(source instanceof HTMLCanvasElement)) {
    failure("canvasToTempFilePath: only a 2d canvas node can be given");
    throw new Error("create bitmap failed");
  }
  const { x = 0, y = 0, width = source.width, height = source.height } = options as Record<string, number>;
  const { destWidth = width, destHeight = height } = options as Record<string, number>;
  const target = document.createElement("canvas");
  Object.assign(target, { width: destWidth, height: destHeight });
  target.getContext("2d")?.drawImage(source, x, y, width, height, 0, 0, destWidth, destHeight);
  return target;
}

function picture(source: HTMLCanvasElement, type: string, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    source.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("create bitmap failed"))), type, quality);
  });
}

async function ownFile(url: string): Promise<Blob> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("file not exists");
  return answer.blob();
}
