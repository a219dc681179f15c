// theme.json: named colours and pictures for light and dark mode.

import { tidy } from "./disk.mjs";
import { CompileError, lineOf } from "./problem.mjs";

/**
 * The variables that an app's settings may reference with @; undefined without theme.json.
 * @param {import("./disk.mjs").Disk} disk @param {Record<string, any>} app
 * @returns {Record<"light" | "dark", Record<string, string>> | undefined}
 */
export function themeOf(disk, app) {
  if (app.themeLocation === undefined) return undefined;
  const file = tidy(app.themeLocation);
  const line = lineOf(disk.read("app.json"), '"themeLocation"');
  if (!disk.has(file)) throw new CompileError("app.json", line, `there is no ${file}`);
  const { light, dark } = disk.json(file);
  if (!light || !dark) throw new CompileError(file, 0, 'a theme has "light" and "dark"');
  for (const name of namesIn([app.window, app.tabBar]))
    if (!(name in light) || !(name in dark)) disk.complain("app.json", lineOf(disk.read("app.json"), `"@${name}"`), `@${name} is not in both themes of ${file}`);
  return { light, dark };
}

/** @param {unknown} value @returns {string[]} */
function namesIn(value) {
  if (typeof value === "string") return value.startsWith("@") ? [value.slice(1)] : [];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(namesIn) : [];
}
