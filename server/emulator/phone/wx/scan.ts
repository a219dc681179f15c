// Scanning a code: the shell offers the codes it has.

import { type Family, text } from "./api.ts";

const KINDS = ["barCode", "qrCode", "datamatrix", "pdf417"];

export const scan: Family = (phone, add) => {
  add.later("scanCode", async ({ onlyFromCamera, scanType = KINDS }) => {
    if (!Array.isArray(scanType)) throw new Error("parameter error: parameter.scanType should be Array instead of String;");
    for (const kind of scanType) if (!KINDS.includes(text(kind))) throw new Error(`parameter error: scanType ${text(kind)} is not supported`);
    const found = await phone.shell.ask("scan", { onlyFromCamera: Boolean(onlyFromCamera) });
    if (!found) throw new Error("cancel");
    return { ...found, charSet: "UTF-8", rawData: "" };
  });
};
