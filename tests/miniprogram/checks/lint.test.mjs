/** The linter refuses in the mini-program's scripts what works in a browser and not on a telephone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ESLint } from "eslint";

const linter = new ESLint({ overrideConfigFile: "config/eslint.config.mjs" });

/** The rules that a piece of the mini-program breaks. */
async function broken(code, filePath = "miniprogram/logic/planted.ts") {
  const [{ messages }] = await linter.lintText(code, { filePath });
  return messages.map(({ ruleId }) => ruleId);
}

const ABSENT = ["URL", "fetch", "window", "document", "localStorage", "TextEncoder", "btoa", "crypto", "structuredClone", "Intl", "globalThis", "navigator"];
for (const name of ABSENT)
  test(`${name} is no global of a telephone`, async () => {
    assert.deepEqual(await broken(`export const a = ${name}\n`), ["no-restricted-globals"]);
    assert.deepEqual(await broken(`export const a = ${name}\n`, "server/emulator/phone/runtime/planted.ts"), []);
  });

const UNREAD = [
  "/(?<=a)b/.test('ab')", "'ab'.replace(/(?<!a)b/g, '')", "new RegExp('(?<=a)b')", "RegExp('(?<!a)b')",
  "new Date('2026-04-01 08:00')", "new Date('2026-4-1')", "Date.parse('2026.04.01')", "new Date('Apr 1, 2026')", "new Date(`${a} 08:00`)", "Date.parse(a + ' 08:00')",
];
for (const code of UNREAD) test(`an iPhone does not read ${code}`, async () => assert.deepEqual(await broken(`const a = ''\nexport const b = ${code}\nexport { a }\n`), ["no-restricted-syntax"]));

const READ = ["/(?<name>a)b/.test('ab')", "/(?:a)b(?=c)/.test('')", "new Date('2026-04-01')", "new Date('2026-04-01T08:00:00+08:00')", "new Date('2026/4/1 8:00')", "new Date(a)", "new Date(2026, 3, 1)", "Date.parse(a)", "new Date()"];
for (const code of READ) test(`every telephone reads ${code}`, async () => assert.deepEqual(await broken(`const a = ''\nexport const b = ${code}\nexport { a }\n`), []));
