// Builds the folder to upload: the mini-program, the used parts of npm packages, and the appid.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { builtIns } from "../../server/emulator/phone/check/builtins.mjs";
import { closure } from "../../server/emulator/phone/closure.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SERVER_FILE = "config/env.ts";
const SERVER = /(BASE_URL\s*=\s*)(['"])https:\/\/[^'"]+\2/;

/**
 * Packs `app` into `out`, which is recreated. The sources stay unchanged: only the packed copy
 * contains the release's server address and appid.
 * @param {{ app: string, out: string, appid: string, server: string, elements?: string[] }} options
 */
export async function pack({ app, out, appid, server, elements = builtIns() }) {
  const modules = path.join(ROOT, "node_modules");
  const theirs = await closure({ root: app, modules, elements: new Set(elements) });
  fs.rmSync(out, { recursive: true, force: true });
  fs.cpSync(app, out, {
    recursive: true,
    filter: (from) => path.basename(from) !== "miniprogram_npm",
  });
  for (const [name, text] of theirs) write(path.join(out, name), text);
  edit(path.join(out, SERVER_FILE), (text) => {
    if (!SERVER.test(text)) throw new Error(`${SERVER_FILE} has no BASE_URL to set`);
    return text.replace(SERVER, (_all, head, quote) => head + quote + server + quote);
  });
  edit(path.join(out, "project.config.json"), (text) =>
    JSON.stringify({ ...JSON.parse(text), appid }, null, 2),
  );
}

/** @param {string} file @param {string} text */
function write(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

/** @param {string} file @param {(text: string) => string} change */
const edit = (file, change) => fs.writeFileSync(file, change(fs.readFileSync(file, "utf8")));
