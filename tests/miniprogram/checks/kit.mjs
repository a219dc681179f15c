/** A small sound mini-program, and the proof that a check finds what is planted in a copy of it. */

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { check } from "../../../server/emulator/phone/check.mjs";

const SOUND = fileURLToPath(new URL("sound", import.meta.url));
const BUILT_INS = ["view", "text", "image", "input", "button"];

/** What is said of the sound app after `plant` has spoilt a copy of it. */
async function found(plant) {
  const folder = mkdtempSync(join(tmpdir(), "kepu-check-"));
  try {
    cpSync(SOUND, folder, { recursive: true });
    plant({
      swap(file, old, young) {
        const text = readFileSync(join(folder, file), "utf8");
        assert.ok(text.includes(old), `${file} does not hold ${old}`);
        writeFileSync(
          join(folder, file),
          text.replace(old, () => young),
        );
      },
      write(file, text) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), text);
      },
      drop: (file) => rmSync(join(folder, file)),
    });
    return await check(folder, { builtIns: BUILT_INS });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const HOME = "pages/home/index";

/** The files of a tab bar that the app draws itself, with one handler. */
export function bar(write, handler = "go") {
  write("custom-tab-bar/index.json", '{ "component": true }');
  write("custom-tab-bar/index.ts", `Component({ methods: { ${handler}() {} } })\n`);
  write("custom-tab-bar/index.wxml", '<view bind:tap="go" />\n');
  write("custom-tab-bar/index.wxss", "");
}

/** A package of somebody else's that the home page uses; only `used` files of it may count. */
export function withPackage({ swap, write }, sheet, script, name = "tiny") {
  const folder = `miniprogram_npm/${name}`;
  swap(`${HOME}.json`, '"usingComponents": {', `"usingComponents": { "tiny-dot": "${name}/dot/dot",`);
  swap(`${HOME}.wxml`, '<view class="home"', '<tiny-dot />\n<view class="home"');
  write(`${folder}/dot/dot.json`, '{ "component": true }');
  write(`${folder}/dot/dot.wxml`, '<view class="dot" />');
  write(`${folder}/dot/dot.wxss`, sheet);
  write(`${folder}/dot/dot.js`, script);
  write(`${folder}/unused/unused.js`, `const there = 'https://example.com/'\n${"\n".repeat(999)}`);
}

export const text = (file) => readFileSync(join(SOUND, file), "utf8");

/** A test for each `[name, plant, lines]`: what the walk says of the sound app after the planting. */
export function proved(faults) {
  for (const [name, plant, lines] of faults)
    test(name, async () => {
      const said = await found(plant);
      const weighed = said.map((line) => line.replace(/weighs \d+ KB/, "weighs N KB"));
      assert.deepEqual(weighed.toSorted(), [...lines].sort());
    });
}
