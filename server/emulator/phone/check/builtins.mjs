/** The tags of WeChat's own that the phone can show: one file each in `elements/`. */

import { readdirSync } from "node:fs";

const FOLDER = new URL("../elements/", import.meta.url);

export const builtIns = () =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -".ts".length));
