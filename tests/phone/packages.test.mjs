// What `make run` installs is what the builds of phone and console need, all of it and nothing else.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { elementTags } from "../../server/emulator/phone/build.mjs";
import { closure } from "../../server/emulator/phone/closure.mjs";

const PHONE = "server/emulator/phone";
const CONSOLE = ["bootstrap", "echarts", "flatpickr", "htmx.org"];
const PARTS = ["compile", "elements", "runtime", "wx"];
const IMPORT = /(?:\bfrom|\bimport\(|\brequire\()\s*["']([^"'.:][^"':]*)["']/g;
const bare = (name) => name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/");

test("the packages that are needed to run are those that build and mini-program name", async () => {
  const files = PARTS.flatMap((part) => fs.readdirSync(path.join(PHONE, part), { recursive: true }).map((name) => path.join(PHONE, part, String(name))));
  const sources = [path.join(PHONE, "build.mjs"), ...files.filter((name) => /\.(ts|mjs)$/.test(name))];
  const imported = sources.flatMap((name) => [...fs.readFileSync(name, "utf8").matchAll(IMPORT)].map(([, found]) => bare(found)));
  const theirs = await closure({ root: path.resolve("miniprogram"), modules: path.resolve("node_modules"), elements: elementTags() });
  const used = [...theirs.keys()].map((name) => bare(name.replace("miniprogram_npm/", "")));
  // The adapter stands on the framework, which it names as a peer.
  const pages = fs.readFileSync("server/console/build.mjs", "utf8");
  assert.deepEqual(CONSOLE.filter((name) => !pages.includes(name)), []);
  const needed = new Set([...imported, ...used, ...CONSOLE, "glass-easel"]);
  const { dependencies } = JSON.parse(fs.readFileSync("package.json", "utf8"));
  assert.deepEqual(Object.keys(dependencies).sort(), [...needed].sort());
});
