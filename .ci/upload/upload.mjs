// Uploads the mini-program as a development version, which a person then submits for review.
//
// node upload.mjs [--pack-only]   settings: docs/release.md

import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { wishesOf } from "./wishes.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const APP = path.join(ROOT, "miniprogram");
const PACKED = path.join(ROOT, "var/upload");

// Compile settings are read from project.config.json, as in the developer tools.
const SETTING = { useProjectConfig: true };

async function main() {
  const { values } = parseArgs({ options: { "pack-only": { type: "boolean" } } });
  const { wishes, missing } = wishesOf(process.env, ROOT);
  if (missing.length > 0) return refuse("Nothing was uploaded. What is missing:", missing);
  // Imported late, because these modules need packages whose presence was only checked above.
  const { check } = await import("../../server/emulator/phone/check.mjs");
  const { pack } = await import("./pack.mjs");
  const faults = await check(APP);
  if (faults.length > 0)
    return refuse("Nothing was uploaded. The mini-program has faults:", faults);
  await pack({ app: APP, out: PACKED, appid: wishes.appid, server: wishes.server });
  console.log(`packed into ${PACKED}`);
  if (!values["pack-only"]) await upload(wishes);
}

/** @param {import("./wishes.mjs").Wishes} wishes */
async function upload({ appid, keyFile, robot, note, version }) {
  const { default: ci } = await import("miniprogram-ci");
  const project = new ci.Project({
    appid,
    type: "miniProgram",
    projectPath: PACKED,
    privateKeyPath: path.resolve(keyFile),
  });
  const desc = note || `version ${version}`;
  const done = await ci.upload({ project, version, desc, robot, setting: SETTING });
  for (const { name, size } of done.subPackageInfo ?? [])
    console.log(`${name}: ${Math.ceil(size / 1024)} KB`);
  console.log(`uploaded ${version}: try it as 体验版, then submit it for review in the console`);
}

/** @param {string} head @param {string[]} lines */
function refuse(head, lines) {
  console.error([head, ...lines.map((line) => `  ${line}`)].join("\n"));
  process.exitCode = 2;
}

await main();
