// What other people's programs bring along: npm packages that were not made for mini-programs, themes.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { elementTags } from "../../server/emulator/phone/build.mjs";
import { closure } from "../../server/emulator/phone/closure.mjs";
import { compiled, onePage, open, plain, write } from "./kit.mjs";

const PACKAGES = {
  ...onePage("<view/>", 'import { sum } from "adder"; import once from "@own/once"; import { deep } from "adder/lib/deep"; Page({ all: [sum, once.word, deep] })'),
  "node_modules/adder/package.json": { main: "lib/main.cjs" },
  "node_modules/adder/lib/main.cjs": "const { one } = require('./one'); const two = require('two'); exports.sum = one + two + require('./data.json').three",
  "node_modules/adder/lib/one.js": "export const one = 1", "node_modules/adder/lib/deep/index.js": "exports.deep = 'tief'", "node_modules/adder/lib/data.json": { three: 3 },
  "node_modules/adder/node_modules/two/package.json": { name: "two" }, "node_modules/adder/node_modules/two/index.js": "module.exports = 2",
  "node_modules/@own/once/package.json": { main: "./dist/index.js" }, "node_modules/@own/once/dist/index.js": "export default { word: 'einmal' }",
};

test("a package without a miniprogram field is taken from its entry on, with what it needs", async () => {
  const phone = await open(PACKAGES);
  assert.deepEqual(plain(phone.page.all), [6, "einmal", "tief"]);
});

test("such a package is uploaded with a beginning where WeChat looks for it", async () => {
  const theirs = await closure({ root: write({ ...PACKAGES, "app.json": { pages: ["p/index"] } }), modules: path.resolve("node_modules"), elements: elementTags() });
  assert.equal(theirs.get("miniprogram_npm/adder/index.js"), 'module.exports = require("./lib/main");\n');
  assert.equal(theirs.get("miniprogram_npm/adder/lib/data.json.js"), 'module.exports = {"three":3};\n');
  assert.ok(theirs.has("miniprogram_npm/adder/lib/main.cjs.js") && theirs.has("miniprogram_npm/adder/miniprogram_npm/two/index.js"));
});

for (const file of ["./data.json", "../assets/a.png"])
  test(`a script that takes in ${file} is told that WeChat takes in scripts alone`, () =>
    assert.rejects(compiled({ ...onePage("<view/>"), "p/index.ts": `\nimport a from "${file}"\nPage({ a })`, "p/data.json": {}, "assets/a.png": "" }), {
      message: `p/index.ts:2: ${file} is no script: WeChat lets a script take in scripts alone, so write data as a module and name pictures by their path`,
    }));

const THEMED = {
  ...onePage("<view/>", "onLoad() { wx.onThemeChange((facts) => this.see(facts)) }"),
  "app.json": {
    pages: ["p/index", "q/index"], darkmode: true, themeLocation: "theme.json", window: { navigationBarTitleText: "测试", navigationBarBackgroundColor: "@bar", backgroundColor: "@page" },
    tabBar: { color: "@word", selectedColor: "#111111", list: [{ pagePath: "p/index", text: "一", iconPath: "@icon" }, { pagePath: "q/index", text: "二", iconPath: "@icon" }] },
  },
  "q/index.wxml": "<view/>", "q/index.ts": "Page({})",
  "theme.json": { light: { bar: "#ffffff", page: "#eeeeee", word: "#222222", icon: "day.png" }, dark: { bar: "#000000", page: "#333333", word: "#dddddd", icon: "night.png" } },
};

/** A media query that a test switches. */
function dark(matches) {
  const heard = [];
  return { matches, addEventListener: (_type, hear) => heard.push(hear), turn: (to) => ((query.matches = to), heard.forEach((hear) => hear())) };
}
let query;
const looks = ({ window }) => {
  const [bar, tab] = [window.document.getElementById("wx-nav"), window.document.querySelectorAll("#wx-tabs button")[1]];
  return [bar.style.background, tab.style.color, tab.querySelector("img").getAttribute("src")];
};
const DAY = ["rgb(255, 255, 255)", "rgb(34, 34, 34)", "files/day.png"];
const NIGHT = ["rgb(0, 0, 0)", "rgb(221, 221, 221)", "files/night.png"];

test("variables of theme.json follow the phone into the dark and back", async () => {
  const phone = await open(THEMED, { theme: (query = dark(false)) });
  assert.deepEqual([looks(phone), phone.wx.getAppBaseInfo().theme], [DAY, "light"]);
  query.turn(true);
  assert.deepEqual([looks(phone), phone.wx.getAppBaseInfo().theme, plain(phone.seen)], [NIGHT, "dark", [{ theme: "dark" }]]);
});

test("a program that is not made for the dark stays light, and is told of no theme", async () => {
  const phone = await open({ ...THEMED, "app.json": { ...THEMED["app.json"], darkmode: false } }, { theme: (query = dark(true)) });
  assert.deepEqual([looks(phone), phone.wx.getAppBaseInfo().theme], [DAY, undefined]);
});

test("a theme that is missing, or lacks a variable, is told with its line", async () => {
  await assert.rejects(compiled({ ...THEMED, "app.json": '{\n"pages": ["p/index"],\n"themeLocation": "gone.json" }' }), { message: "app.json:3: there is no gone.json" });
  await assert.rejects(compiled({ ...THEMED, "theme.json": { light: {}, dark: {} } }), /^CompileError: app\.json:1: @bar is not in both themes of theme\.json$/);
});

test("a missing module fails the script that needs it when it runs, and nothing else", async () => {
  const warnings = [];
  const files = { ...onePage("<view/>", "let there = true; try { require('./gone') } catch { there = false } Page({ there })"), "q/index.wxml": "<view/>", "q/index.ts": "import './lost'; Page({})" };
  const phone = await open({ ...files, "app.json": { pages: ["p/index", "q/index"] } }, { warn: (line) => warnings.push(line) });
  assert.deepEqual([phone.page.there, warnings], [false, ["p/index.ts:1: module ./gone is not found", "q/index.ts:1: module ./lost is not found"]]);
  assert.match(phone.errors.join(), /q\/index: Error: module '\.\/lost\.js' is not defined/);
});

test("a tab bar of the program's own that is not there is a warning, and its pages stand", async () => {
  const warnings = [];
  const app = { pages: ["p/index", "q/index"], tabBar: { custom: true, list: [{ pagePath: "p/index", text: "一" }, { pagePath: "q/index", text: "二" }] } };
  const phone = await open({ ...onePage("<view>页</view>"), "q/index.wxml": "", "q/index.ts": "Page({})", "app.json": app }, { warn: (line) => warnings.push(line) });
  assert.deepEqual([phone.words, plain(phone.errors), warnings], ["页", [], ["app.json:1: a custom tab bar has no custom-tab-bar/index.wxml"]]);
});
