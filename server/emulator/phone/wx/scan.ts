// Scanning a code: the shell offers the codes it has.

import type { Family } from "./api.ts";

export const scan: Family = (phone, add) => {
  add.later("scanCode", async ({ onlyFromCamera }) => {
    const found = await phone.shell.ask("scan", { onlyFromCamera: Boolean(onlyFromCamera) });
    if (!found) throw new Error("cancel");
    return { ...found, charSet: "UTF-8", rawData: "" };
  });
};
