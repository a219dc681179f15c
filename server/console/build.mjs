// node server/console/build.mjs [--out FOLDER]: bundles the libraries of the console's pages
// (Bootstrap's style, htmx, the calendar, the charts) into server/console/static/.
//
// The server serves these files itself, under names with a hash of their content. The console's
// own style and script lie in assets/ and need no build.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, transform } from "esbuild";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const MODULES = path.resolve(HERE, "../../node_modules");
/** The oldest supported browsers, still in use in offices. */
const TARGET = ["chrome86", "firefox78"];
const SCRIPTS = ["htmx", "dates", "charts"];
const LICENSED = { bootstrap: "LICENSE", "htmx.org": "LICENSE", flatpickr: "LICENSE.md", echarts: "LICENSE", zrender: "LICENSE" };

async function bundleScripts(out) {
  await build({
    entryPoints: Object.fromEntries(SCRIPTS.map((name) => [name, path.join(HERE, "assets/build", `${name}.mjs`)])),
    outdir: out,
    bundle: true,
    minify: true,
    format: "iife",
    target: TARGET,
    legalComments: "none",
    logLevel: "warning",
  });
}

async function copyStyle(out) {
  const source = fs.readFileSync(path.join(MODULES, "bootstrap/dist/css/bootstrap.css"), "utf8");
  const { code } = await transform(source, { loader: "css", minify: true, target: TARGET, legalComments: "none" });
  fs.writeFileSync(path.join(out, "bootstrap.css"), code);
}

function writeLicenses(out) {
  const texts = Object.entries(LICENSED).map(([name, file]) => {
    const { version } = JSON.parse(fs.readFileSync(path.join(MODULES, name, "package.json"), "utf8"));
    return `${name} ${version}\n\n${fs.readFileSync(path.join(MODULES, name, file), "utf8")}`;
  });
  fs.writeFileSync(path.join(out, "licenses.txt"), texts.join(`\n${"-".repeat(70)}\n\n`));
}

const { values } = parseArgs({ options: { out: { type: "string", default: path.join(HERE, "static") } } });
// Built beside the folder and renamed, so that a server that starts meanwhile reads no half-written file.
const made = fs.mkdtempSync(`${values.out}.new-`);
try {
  await bundleScripts(made);
  await copyStyle(made);
  writeLicenses(made);
  fs.chmodSync(made, 0o755);
  fs.rmSync(values.out, { recursive: true, force: true });
  fs.renameSync(made, values.out);
} catch (trouble) {
  fs.rmSync(made, { recursive: true, force: true });
  throw trouble;
}
