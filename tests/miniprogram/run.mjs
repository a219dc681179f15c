// Bundles the tests beside this file for Node and runs them: node run.mjs [name…]
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const wanted = process.argv.slice(2);
const out = fs.mkdtempSync(path.join(os.tmpdir(), "kepu-node-tests-"));
const tests = fs
  .readdirSync(here)
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
try {
  await build({
    entryPoints: tests.map((name) => path.join(here, name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["typescript"],
    sourcemap: "inline",
    logLevel: "warning",
  });
  // Packages are found from the folder that the bundles stand in.
  fs.symlinkSync(path.join(root, "node_modules"), path.join(out, "node_modules"));
  const bundles = tests.map((name) => path.join(out, name.replace(/\.ts$/, ".mjs")));
  const done = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...bundles], {
    cwd: root,
    stdio: "inherit",
  });
  process.exitCode = done.status ?? 1;
} finally {
  fs.rmSync(out, { recursive: true, force: true });
}
