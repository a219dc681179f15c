// The tags that the runtime registers.

import path from "node:path";
import { build } from "esbuild";

const INDEX = path.resolve("server/emulator/phone/elements/index.ts");

export async function elements() {
  const entry = { contents: `export { elements } from ${JSON.stringify(INDEX)}`, resolveDir: process.cwd() };
  const made = await build({ stdin: entry, bundle: true, write: false, format: "esm", platform: "neutral", mainFields: ["module", "main"], banner: { js: "globalThis.window ??= {};" } });
  const module = await import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].text).toString("base64")}`);
  return module.elements.map((kind) => kind.tag);
}
