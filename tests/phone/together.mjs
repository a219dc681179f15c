// node together.mjs <file>…: runs the tests of several files in one process, which loads and
// compiles what they share once. A file that cannot be loaded ends the run with a failure.

import path from "node:path";
import { pathToFileURL } from "node:url";

for (const file of process.argv.slice(2)) await import(pathToFileURL(path.resolve(file)).href);
