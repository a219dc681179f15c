/** WeChat's own tags that the phone implements: one file each in `elements/`. */

import { readdirSync } from "node:fs";

const FOLDER = new URL("../elements/", import.meta.url);

export const builtIns = () =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -".ts".length));
