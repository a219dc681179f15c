/**
 * Checks a mini-program's folder for what would fail only on a citizen's phone.
 *
 *   node check.mjs APP_FOLDER [--server=https://…] [--built-ins=view,text,…]
 *
 * Each fault is one line, `file:line: what is wrong`; the exit status is 1 when there is one. One
 * line per language reports how much is translated, and what falls back to Chinese. The compiler
 * runs too; its first error is reported as a fault.
 */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath, pathToFileURL } from "node:url";

import { Disk } from "./compile/disk.mjs";
import { closure } from "./closure.mjs";
import { App, fault } from "./check/app.mjs";
import { foreignAddresses, missingPictures, strangePictures } from "./check/addresses.mjs";
import { overBudget } from "./check/budgets.mjs";
import { builtIns } from "./check/builtins.mjs";
import { badConfigs } from "./check/configs.mjs";
import { deadModules, upwardImports, wxOutsideItsFile } from "./check/floors.mjs";
import { unboundHandlers } from "./check/handlers.mjs";
import { missingPages } from "./check/pages.mjs";
import { deadComponents, hiddenInText, loopsWithoutKey, unknownTags } from "./check/tags.mjs";
import { otherThanWxml } from "./check/templates.mjs";
import { missingTexts, textFigures } from "./check/texts.mjs";

const CHECKS = [
  badConfigs,
  missingPages,
  unknownTags,
  unboundHandlers,
  deadComponents,
  loopsWithoutKey,
  hiddenInText,
  missingPictures,
  strangePictures,
  deadModules,
  upwardImports,
  wxOutsideItsFile,
  foreignAddresses,
  overBudget,
  missingTexts,
  otherThanWxml,
];
const MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));
export const SERVER = "https://kepu.example.org";

/**
 * All faults of an app folder, in the order of its files.
 * @param {string} folder
 * @param {{builtIns?: string[], server?: string}} options
 */
export async function check(folder, options = {}) {
  const facts = { builtIns: builtIns(), server: SERVER, ...options };
  const { theirs, refused } = await compiled(folder, facts);
  const app = new App(folder, theirs, new Disk(folder, MODULES));
  const broken = app.config.broken.length > 0 || !app.has.has("app.json");
  const found = (broken ? [badConfigs] : CHECKS).flatMap((judge) => judge(app, facts));
  const seen = new Set(found.map(({ file, line }) => `${file}:${line}`));
  const news = refused.filter(({ file, line }) => !seen.has(`${file}:${line}`));
  const said = [...found, ...news].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
  return [...new Set(said.map(({ file, line, text }) => `${file}:${line}: ${text}`))];
}

/** Compiles the app: returns the used files of npm packages (`theirs`), or the compiler's error as a fault. */
async function compiled(root, facts) {
  const options = { root, modules: MODULES, elements: new Set(facts.builtIns) };
  try {
    return { theirs: await closure(options), refused: [] };
  } catch (trouble) {
    if (trouble.name !== "CompileError") throw trouble;
    const [, file, line, text] = /^([^:]+)(?::(\d+))?: (.*)$/s.exec(trouble.message);
    return { theirs: new Map(), refused: [fault(file, Number(line ?? 1), text)] };
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { server: { type: "string" }, "built-ins": { type: "string" } },
  });
  if (positionals.length !== 1) {
    console.error("usage: node check.mjs APP_FOLDER [--server=…] [--built-ins=…]");
    process.exitCode = 2;
    return;
  }
  const folder = resolve(positionals[0]);
  const named = values["built-ins"]?.split(",");
  const found = await check(folder, {
    ...(named && { builtIns: named }),
    ...(values.server && { server: values.server }),
  });
  for (const line of [...found, ...textFigures(new App(folder, new Map(), new Disk(folder, MODULES)))]) console.log(line);
  process.exitCode = found.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main();
