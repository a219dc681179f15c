// Uploading and downloading a file.

import { type Facts, type Family, type Options, text } from "./api.ts";
import { forwarded, fromHost, started } from "./request.ts";
import type { Phone } from "../runtime/phone.ts";

export const upload: Family = (phone, add) => {
  add.now("uploadFile", (options: Options = {}) => started(phone, "uploadFile", options, (stop) => send(phone, options, stop)));
  add.now("downloadFile", (options: Options = {}) => started(phone, "downloadFile", options, (stop) => fetched(phone, options, stop)));
};

async function send(phone: Phone, options: Options, signal: AbortSignal): Promise<Facts> {
  const path = text(options["filePath"]);
  const file = phone.files.blob(path);
  if (!file) throw new Error("file not found");
  const form = new FormData();
  for (const [name, value] of Object.entries((options["formData"] as object | undefined) ?? {})) form.append(name, text(value));
  form.append(text(options["name"]), file, path.split("/").at(-1));
  const headers = new Headers(options["header"] as Record<string, string> | undefined);
  headers.delete("content-type");
  const answer = fromHost(await fetch(forwarded(text(options["url"])), { method: "POST", headers, body: form, signal }));
  return { data: await answer.text(), statusCode: answer.status };
}

async function fetched(phone: Phone, options: Options, signal: AbortSignal): Promise<Facts> {
  const headers = options["header"] as Record<string, string> | undefined;
  const answer = fromHost(await fetch(forwarded(text(options["url"])), { headers, signal }));
  const blob = await answer.blob();
  return { tempFilePath: phone.files.keep(blob, blob.type.split("/").at(-1) || "bin"), statusCode: answer.status };
}
