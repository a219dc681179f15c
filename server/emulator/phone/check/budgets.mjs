/**
 * Size limits: of files, so that they stay readable, and of the package, as WeChat refuses larger
 * ones.
 */

import { fault } from "./app.mjs";

const KB = 1024;
export const LIMITS = {
  pageScript: 120,
  template: 80,
  anyFile: 400,
  mainPackage: 1024 * KB,
  onePackage: 2048 * KB,
  tabIcon: 40 * KB,
};
const TEXT = /\.(ts|wxml|wxss|wxs|json)$/;

export function overBudget(app) {
  return [...longFiles(app), ...heavyPackages(app), ...heavyIcons(app)];
}

function longFiles(app) {
  const scripts = new Set(app.pages.map((page) => `${page}.ts`));
  const limit = (file) => {
    if (scripts.has(file)) return LIMITS.pageScript;
    return file.endsWith(".wxml") ? LIMITS.template : LIMITS.anyFile;
  };
  return app.own
    .filter((file) => TEXT.test(file) && app.lines(file) > limit(file))
    .map((file) =>
      fault(
        file,
        limit(file) + 1,
        `${app.lines(file)} lines, more than the ${limit(file)} allowed`,
      ),
    );
}

function heavyPackages(app) {
  const roots = app.packages.map((one) => `${one.root}/`);
  const inside = (root) => app.files.filter((file) => file.startsWith(root));
  const main = app.files.filter((file) => !roots.some((root) => file.startsWith(root)));
  const weigh = (name, files, limit) => {
    const bytes = files.reduce((sum, file) => sum + app.size(file), 0);
    const text = `${name} weighs ${kilobytes(bytes)}, more than the ${kilobytes(limit)} allowed`;
    return bytes > limit ? [fault("app.json", 1, text)] : [];
  };
  return [
    ...weigh("the main package", main, LIMITS.mainPackage),
    ...roots.flatMap((root) => weigh(`package ${root}`, inside(root), LIMITS.onePackage)),
  ];
}

function heavyIcons(app) {
  const tabs = app.config.value.tabBar?.list ?? [];
  return tabs.flatMap((tab, index) =>
    ["iconPath", "selectedIconPath"].flatMap((key) => {
      const line = app.config.line(["tabBar", "list", index, key]);
      const icon = tab[key];
      if (icon === undefined) return [];
      if (!app.has.has(icon)) return [fault("app.json", line, `icon ${icon} does not exist`)];
      const bytes = app.size(icon);
      if (bytes <= LIMITS.tabIcon) return [];
      return [fault("app.json", line, `icon ${icon} weighs ${kilobytes(bytes)}, more than 40 KB`)];
    }),
  );
}

const kilobytes = (bytes) => `${Math.ceil(bytes / KB)} KB`;
