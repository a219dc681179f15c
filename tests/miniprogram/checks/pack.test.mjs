/** The release: what is packed, what a release needs, and the reasons for which it does not begin. */

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { pack } from "../../../.ci/upload/pack.mjs";
import { wishesOf } from "../../../.ci/upload/wishes.mjs";

const SOUND = fileURLToPath(new URL("sound", import.meta.url));
const elements = ["view", "text", "image", "input"];
const release = { appid: "wx0123456789abcdef", server: "https://kepu.gx.gov.cn" };

/** Runs `use` with a folder of its own that is gone afterwards. */
async function inFolder(use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kepu-pack-"));
  try {
    return await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

test("the packed copy names the release's server and appid, the sources stay as they are", () =>
  inFolder(async (folder) => {
    const out = path.join(folder, "out");
    await pack({ app: SOUND, out, elements, ...release });
    const read = (root, name) => fs.readFileSync(path.join(root, name), "utf8");
    assert.match(read(out, "config/env.ts"), /'https:\/\/kepu\.gx\.gov\.cn'/);
    assert.match(read(SOUND, "config/env.ts"), /'https:\/\/kepu\.example\.org'/);
    const project = JSON.parse(read(out, "project.config.json"));
    assert.equal(project.appid, release.appid);
    assert.deepEqual(project.setting.useCompilerPlugins, ["typescript"]);
    assert.ok(fs.existsSync(path.join(out, "pages/home/index.ts")));
  }));

test("of a package only what is used is packed, without its fonts, and nothing of an older pack", () =>
  inFolder(async (folder) => {
    const [app, out] = [path.join(folder, "app"), path.join(folder, "out")];
    fs.cpSync(SOUND, app, { recursive: true });
    const write = (name, text) => {
      fs.mkdirSync(path.dirname(path.join(app, name)), { recursive: true });
      fs.writeFileSync(path.join(app, name), text);
    };
    const tiny = "miniprogram_npm/tiny";
    write("pages/mine/index.json", '{ "usingComponents": { "tiny-dot": "tiny/dot/dot" } }');
    write("pages/mine/index.wxml", "<tiny-dot />");
    write(`${tiny}/dot/dot.json`, '{ "component": true }');
    write(`${tiny}/dot/dot.wxml`, "<view />");
    write(`${tiny}/dot/dot.wxss`, ".x { color: red } @font-face { src: url(//x.cn/i.woff) }");
    write(
      `${tiny}/dot/dot.js`,
      "import { one } from '../common/one'\nComponent({ data: { one } })",
    );
    write(`${tiny}/common/one.js`, "export const one = 1");
    write(`${tiny}/unused.js`, "export const two = 2");
    fs.mkdirSync(out);
    fs.writeFileSync(path.join(out, "old.js"), "");
    await pack({ app, out, elements, ...release });
    const packed = fs.readdirSync(path.join(out, tiny), { recursive: true }).sort();
    const used = ["common", "common/one.js", "dot", "dot/dot.js", "dot/dot.json", "dot/dot.wxml"];
    assert.deepEqual(packed, [...used, "dot/dot.wxss"]);
    assert.equal(
      fs.readFileSync(path.join(out, tiny, "dot/dot.wxss"), "utf8"),
      ".x { color: red } ",
    );
    assert.ok(!fs.existsSync(path.join(out, "old.js")));
  }));

/** A repository with its packages, and the settings of somebody who may release. */
function ready(folder) {
  fs.writeFileSync(
    path.join(folder, "pyproject.toml"),
    '[project]\nname = "x"\nversion = "1.2.3"\n',
  );
  fs.writeFileSync(path.join(folder, "key"), "secret");
  fs.mkdirSync(path.join(folder, "node_modules"));
  fs.mkdirSync(path.join(folder, ".ci/upload/node_modules/miniprogram-ci"), { recursive: true });
  return {
    KEPU_UPLOAD_APPID: release.appid,
    KEPU_UPLOAD_KEY_FILE: path.join(folder, "key"),
    KEPU_UPLOAD_SERVER: release.server,
  };
}

test("a release takes its version from the project", () =>
  inFolder((folder) => {
    const { wishes, missing } = wishesOf(ready(folder), folder);
    assert.deepEqual(missing, []);
    assert.equal(wishes.version, "1.2.3");
    assert.equal(wishes.robot, 1);
  }));

for (const [name, value] of [
  ["KEPU_UPLOAD_APPID", "touristappid"],
  ["KEPU_UPLOAD_KEY_FILE", "/nowhere/key"],
  ["KEPU_UPLOAD_SERVER", "http://kepu.gx.gov.cn"],
  ["KEPU_UPLOAD_SERVER", "https://kepu.example.org"],
  ["KEPU_UPLOAD_ROBOT", "31"],
  ["CI", "true"],
])
  test(`a release does not begin with ${name}=${value}`, () =>
    inFolder((folder) => {
      const { missing } = wishesOf({ ...ready(folder), [name]: value }, folder);
      assert.equal(missing.length, 1);
      assert.ok(missing[0].startsWith(name));
    }));

test("a release does not begin without its packages", () =>
  inFolder((folder) => {
    const env = ready(folder);
    fs.rmSync(path.join(folder, "node_modules"), { recursive: true });
    fs.rmSync(path.join(folder, ".ci/upload/node_modules"), { recursive: true });
    const { missing } = wishesOf(env, folder);
    assert.equal(missing.length, 2);
  }));
