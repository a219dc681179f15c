// The runtime as one script: our TypeScript and the component framework.

/** @param {{ home: string, out: string, modules: string }} options */
export async function buildRuntime({ home, out, modules }) {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [`${home}/runtime/main.ts`],
    outfile: out,
    bundle: true,
    minify: true,
    keepNames: true,
    target: "es2022",
    format: "iife",
    nodePaths: [modules],
    logLevel: "silent",
    legalComments: "inline",
  });
}
