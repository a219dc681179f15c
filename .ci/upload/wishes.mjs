// Reads the upload's settings, and reports every reason why it cannot start.

import fs from "node:fs";
import path from "node:path";

const ORIGIN = /^https:\/\/[a-z0-9.-]+\.[a-z]{2,}$/;
const PLACEHOLDER = /(^|\.)example\.(org|com|net)$/;

/**
 * @typedef {{ appid: string, keyFile: string, server: string, robot: number, note: string, version: string }} Wishes
 */

/**
 * @param {Record<string, string | undefined>} env
 * @param {string} root the repository
 * @returns {{ wishes: Wishes, missing: string[] }}
 */
export function wishesOf(env, root) {
  const wishes = {
    appid: env.KEPU_UPLOAD_APPID ?? "",
    keyFile: env.KEPU_UPLOAD_KEY_FILE ?? "",
    server: env.KEPU_UPLOAD_SERVER ?? "",
    robot: Number(env.KEPU_UPLOAD_ROBOT ?? 1),
    note: env.KEPU_UPLOAD_NOTE ?? "",
    version: versionIn(fs.readFileSync(path.join(root, "pyproject.toml"), "utf8")),
  };
  return { wishes, missing: [...fromSettings(wishes), ...fromPlace(env, root)] };
}

/** @param {Wishes} wishes */
function* fromSettings({ appid, keyFile, server, robot }) {
  if (!/^wx[0-9a-f]{16}$/.test(appid))
    yield "KEPU_UPLOAD_APPID: the mini-program's AppID, wx and 16 digits (console: 开发管理 → 开发设置)";
  if (!fs.existsSync(keyFile))
    yield "KEPU_UPLOAD_KEY_FILE: the file with the upload key (console: 开发管理 → 开发设置 → 小程序代码上传)";
  if (!ORIGIN.test(server) || PLACEHOLDER.test(server.slice("https://".length)))
    yield "KEPU_UPLOAD_SERVER: the server's origin, https://<host> as it stands in the console's domain list";
  if (!Number.isInteger(robot) || robot < 1 || robot > 30)
    yield "KEPU_UPLOAD_ROBOT: which of the 30 upload robots, 1 to 30 (1 when absent)";
}

/** @param {Record<string, string | undefined>} env @param {string} root */
function* fromPlace(env, root) {
  if (env.CI) yield "CI is set: a release is a person's act and never happens in a pipeline";
  if (!fs.existsSync(path.join(root, "node_modules")))
    yield "node_modules is missing: run `npm ci` in the repository's folder";
  if (!fs.existsSync(path.join(root, ".ci/upload/node_modules/miniprogram-ci")))
    yield "WeChat's upload tool is missing: run `npm ci` in .ci/upload";
}

/** @param {string} toml */
function versionIn(toml) {
  const found = /^\[project\][^[]*^version\s*=\s*"([^"]+)"/ms.exec(toml);
  if (found === null) throw new Error("pyproject.toml names no version");
  return found[1];
}
