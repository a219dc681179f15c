/** Each check finds the fault that is planted for it, and says file, line and what is wrong. */

import assert from "node:assert/strict";

import { HOME, bar, proved, text, withPackage } from "./kit.mjs";

const FAULTS = [
  ["nothing", () => undefined, []],
  [
    "an unknown tag",
    ({ swap }) => swap(`${HOME}.wxml`, "<text wx:if", "<texte wx:if"),
    [`${HOME}.wxml:4: <texte> is no built-in and no component of ${HOME}`],
  ],
  [
    "an unknown tag in an imported template",
    ({ swap }) => swap("templates/line.wxml", "<view", "<viewx"),
    [`templates/line.wxml:1: <viewx> is no built-in and no component of ${HOME}`],
  ],
  [
    "a removed handler",
    ({ swap }) => swap(`${HOME}.ts`, "  onPick() {},\n", ""),
    [`${HOME}.wxml:7: bind:pick names "onPick", which is no handler of ${HOME}.ts`],
  ],
  [
    "a handler that is only a value",
    ({ swap }) => swap(`${HOME}.ts`, "onPick() {}", "onPick: 1"),
    [`${HOME}.wxml:7: bind:pick names "onPick", which is no handler of ${HOME}.ts`],
  ],
  [
    "a handler removed from what the page takes over",
    ({ swap }) => swap("kit/listing.ts", "reload()", "again()"),
    [`templates/line.wxml:1: catchtap names "reload", which is no handler of ${HOME}.ts`],
  ],
  [
    "a component's handler that is no method",
    ({ swap }) => swap("components/badge/index.ts", "tell() {", "told() {"),
    [
      'components/badge/index.wxml:1: bind:tap names "tell", which is no handler of components/badge/index.ts',
    ],
  ],
  [
    "a handler that is chosen at run time",
    ({ swap }) => swap(`${HOME}.wxml`, 'bindinput="onInput"', 'bindinput="{{name}}"'),
    [
      `${HOME}.wxml:8: bindinput has "{{name}}" where a handler is named, which is no handler of ${HOME}.ts`,
    ],
  ],
  [
    "a field that is written and does not exist",
    ({ swap }) => swap(`${HOME}.wxml`, 'model:value="{{name}}"', 'model:value="{{nick}}"'),
    [`${HOME}.wxml:8: model:value writes "nick", which is no field of ${HOME}.ts`],
  ],
  [
    "a page removed from app.json",
    ({ swap }) => swap("app.json", '"pages": ["round/index"]', '"pages": ["other/index"]'),
    [
      "app.json:3: page packages/quiz/other/index has no file packages/quiz/other/index.ts",
      "app.json:3: page packages/quiz/other/index has no file packages/quiz/other/index.wxml",
      "app.json:3: page packages/quiz/other/index has no file packages/quiz/other/index.wxss",
      "app.json:3: page packages/quiz/other/index has no file packages/quiz/other/index.json",
      "packages/quiz/round/index.json:1: page packages/quiz/round/index is not in app.json",
      "packages/quiz/round/index.ts:1: nothing imports this file",
      `${HOME}.ts:8: page packages/quiz/round/index is not in app.json`,
    ],
  ],
  [
    "a page without its sheet",
    ({ drop }) => drop("pages/mine/index.wxss"),
    ["app.json:2: page pages/mine/index has no file pages/mine/index.wxss"],
  ],
  [
    "a page whose path is put together",
    ({ swap }) => swap(`${HOME}.ts`, "/packages/quiz/round/index?id=$", "/packages/$"),
    [`${HOME}.ts:8: write the page's path out: "/packages/…" cannot be checked`],
  ],
  [
    "a component that is named and not used",
    ({ swap }) => swap(`${HOME}.wxml`, /<score-badge.*\n/.exec(text(`${HOME}.wxml`))[0], "\n"),
    [`${HOME}.json:3: component "score-badge" is not used`],
  ],
  [
    "a component that does not exist",
    ({ swap }) => swap(`${HOME}.json`, "components/badge/index", "components/bage/index"),
    [
      "components/badge/index.json:1: no page reaches this component",
      "components/badge/index.ts:1: nothing imports this file",
      `${HOME}.json:3: component "../../components/bage/index" does not exist`,
    ],
  ],
  [
    "a module that nobody imports",
    ({ write }) => write("logic/lonely.ts", "export const one = 1\n"),
    ["logic/lonely.ts:1: nothing imports this file"],
  ],
  [
    "a loop without a key",
    ({ swap }) => swap(`${HOME}.wxml`, ' wx:key="id"', ""),
    [`${HOME}.wxml:6: <app-row> has wx:for without wx:key`],
  ],
  [
    "a picture that is not there",
    ({ swap }) => swap(`${HOME}.wxml`, "/assets/home.png", "/assets/house.png"),
    [`${HOME}.wxml:5: "/assets/house.png" is not in the package`],
  ],
  [
    "an upward import",
    ({ swap }) => swap("logic/next.ts", "export", "import '../platform/wx'\n\nexport"),
    ['logic/next.ts:1: logic may not import platform ("../platform/wx")'],
  ],
  [
    "a component that asks the server",
    ({ swap, write }) => {
      write("api/quiz.ts", "export const quiz = {}\n");
      swap("components/row/index.ts", "Component", "import '../../api/quiz'\nComponent");
    },
    ['components/row/index.ts:1: components may not import api ("../../api/quiz")'],
  ],
  [
    "wx outside of its file",
    ({ swap }) => swap(`${HOME}.ts`, "onPick() {}", "onPick() { wx.showToast({ title: '' }) }"),
    [`${HOME}.ts:10: "wx" is named outside of platform/wx.ts`],
  ],
  [
    "a sound that is not there, beside a picture that is",
    ({ swap, write }) => {
      write("packages/quiz/round/a.png", "png");
      swap("kit/listing.ts", "next(1)", "next('/packages/quiz/round/bell.wav'.length + '/packages/quiz/round/a.png'.length)");
    },
    ["kit/listing.ts:6: packages/quiz/round/bell.wav is not in the package"],
  ],
  [
    "a foreign address",
    ({ write }) =>
      write(`${HOME}.wxss`, '.x {\n  background: url("https://cdn.example.com/x.png");\n}\n'),
    [`${HOME}.wxss:2: foreign address https://cdn.example.com/x.png`],
  ],
  [
    "the server's address outside of its constant",
    ({ swap }) => swap("kit/listing.ts", "next(1)", "next('https://kepu.example.org'.length)"),
    ["kit/listing.ts:6: foreign address https://kepu.example.org"],
  ],
  [
    "a key that app.json does not have",
    ({ swap }) => swap("app.json", '"lazyCodeLoading"', '"lazyLoading"'),
    ['app.json:1: the file lacks "lazyCodeLoading"', "app.json:25: lazyLoading is no known key"],
  ],
  [
    "a single tab",
    ({ swap }) =>
      swap("app.json", /\{\n {8}"pagePath": "pages\/home[^}]*\},\s*/.exec(text("app.json"))[0], ""),
    ["app.json:9: list has fewer than 2 entries"],
  ],
  [
    "a tab without a text",
    ({ swap }) => swap("app.json", '"text": "我的",', ""),
    ['app.json:16: entry 2 lacks "text"'],
  ],
  [
    "a tab that is no page of the main package",
    ({ swap }) =>
      swap("app.json", '"pagePath": "pages/mine/index"', '"pagePath": "packages/quiz/round/index"'),
    ["app.json:17: tab packages/quiz/round/index is no page of the main package"],
  ],
  [
    "a tab bar of the app's own",
    ({ swap, write }) => {
      swap("app.json", '"color": "#555555"', '"custom": true, "color": "#555555"');
      bar(write);
    },
    [],
  ],
  [
    "a tab bar of the app's own that is not there",
    ({ swap }) => swap("app.json", '"color": "#555555"', '"custom": true, "color": "#555555"'),
    ["ts", "wxml", "wxss", "json"].map(
      (part) => `app.json:6: the custom tab bar has no file custom-tab-bar/index.${part}`,
    ),
  ],
  [
    "a tab bar of the app's own that app.json does not ask for",
    ({ write }) => bar(write),
    [
      "custom-tab-bar/index.json:1: no page reaches this component",
      "custom-tab-bar/index.ts:1: nothing imports this file",
    ],
  ],
  [
    "a tab bar of the app's own with a removed handler",
    ({ swap, write }) => {
      swap("app.json", '"color": "#555555"', '"custom": true, "color": "#555555"');
      bar(write, "stay");
    },
    [`custom-tab-bar/index.wxml:1: bind:tap names "go", which is no handler of custom-tab-bar/index.ts`],
  ],
  [
    "a wrong value in a page",
    ({ swap }) => swap(`${HOME}.json`, '"首页"', "true"),
    [`${HOME}.json:2: navigationBarTitleText is boolean, not string`],
  ],
  [
    "a project that does not compile TypeScript",
    ({ swap }) => swap("project.config.json", '["typescript"]', "[]"),
    ['project.config.json:6: useCompilerPlugins lacks "typescript"'],
  ],
  [
    "a broken JSON file",
    ({ swap }) => swap("sitemap.json", "]", ""),
    ["sitemap.json:1: no valid JSON: ',' expected."],
  ],
  [
    "a long page",
    ({ write }) => write("pages/mine/index.ts", `Page({})\n${"\n".repeat(120)}`),
    ["pages/mine/index.ts:121: 121 lines, more than the 120 allowed"],
  ],
  [
    "a long template",
    ({ write }) => write("pages/mine/index.wxml", "<view />\n".repeat(81)),
    ["pages/mine/index.wxml:81: 81 lines, more than the 80 allowed"],
  ],
  [
    "a heavy main package",
    ({ write }) => write("assets/film.bin", "x".repeat(1024 * 1024)),
    ["app.json:1: the main package weighs N KB, more than the 1024 KB allowed"],
  ],
  [
    "a heavy package",
    ({ write }) => write("packages/quiz/film.bin", "x".repeat(2 * 1024 * 1024)),
    ["app.json:1: package packages/quiz/ weighs N KB, more than the 2048 KB allowed"],
  ],
  [
    "a heavy tab icon",
    ({ write }) => write("assets/home.png", "x".repeat(41 * 1024)),
    [
      "app.json:13: icon assets/home.png weighs N KB, more than 40 KB",
      "app.json:14: icon assets/home.png weighs N KB, more than 40 KB",
      "app.json:19: icon assets/home.png weighs N KB, more than 40 KB",
      "app.json:20: icon assets/home.png weighs N KB, more than 40 KB",
    ],
  ],
  [
    "a template that does not compile",
    ({ swap }) => swap("pages/mine/index.wxml", "</view>", ""),
    ["pages/mine/index.wxml:1: missing end tag"],
  ],
  [
    "TypeScript that does not parse",
    ({ swap }) => swap("logic/next.ts", "=> count", "=> = count"),
    ['logic/next.ts:1: Unexpected "="'],
  ],
];

FAULTS.push(
  [
    "nothing in somebody else's component, whose fonts and unused files are left out",
    (plant) =>
      withPackage(plant, "@font-face { src: url(//cdn.example.com/i.woff) }\n", "Component({})"),
    [],
  ],
  [
    "an address in somebody else's component",
    (plant) => withPackage(plant, "", "Component({ data: { from: '//cdn.example.com/x' } })\n"),
    ["miniprogram_npm/tiny/dot/dot.js:1: foreign address //cdn.example.com/x"],
  ],
);

const ZH = `export const zh = {
  common: { retry: '再试' },
  home: {
    title: '首页',
    left: '还有 {count} 次',
    single: '单选',
  },
}
`;
const ZA = `export const waiting = ['common', 'home.title', 'home.single']
export const za = {
  home: { left: 'Lij miz {count} baez' },
}
`;
const SAYS = "data: { t: dressed('home'), left: '', kind: 'single' },\n  words(kind) { return [this.data.t.left, this.data.t[kind], this.data.c.retry] },";

/** The sound app with words in two languages. */
function withTexts({ swap, write }, zh = ZH, za = ZA) {
  write("texts/zh.ts", zh);
  write("texts/za.ts", za);
  write("texts/index.ts", "export { za } from './za'\nexport { zh } from './zh'\n");
  swap("kit/listing.ts", "import", "import '../texts/index'\nimport");
  swap(`${HOME}.ts`, "data: { count: 0, name: '', rows: [] },", `count: 0, name: '',\n  ${SAYS}`);
}
const without = (catalogue, line) => {
  assert.ok(catalogue.includes(line));
  return catalogue.replace(line, "");
};

FAULTS.push(
  ["nothing in words of two languages", (plant) => withTexts(plant), []],
  [
    "a word that a page says and the catalogue has not",
    (plant) => withTexts(plant, without(ZH, "    left: '还有 {count} 次',\n")),
    [`${HOME}.ts:8: home.left is not in texts/zh.ts`, "texts/za.ts:3: home.left is not in texts/zh.ts"],
  ],
  [
    "a word of all pages that the catalogue has not",
    (plant) => withTexts(plant, without(ZH, "retry: '再试'"), ZA.replace("'common', ", "")),
    [`${HOME}.ts:8: common.retry is not in texts/zh.ts`],
  ],
  [
    "a word that no page says",
    (plant) => withTexts(plant, ZH.replace("title:", "old: '旧',\n    title:"), ZA.replace("'common'", "'common', 'home.old'")),
    ["texts/zh.ts:4: home.old is said by no page"],
  ],
  [
    "a translation removed that is not in the fallback list",
    (plant) => withTexts(plant, ZH, without(ZA, "left: 'Lij miz {count} baez'")),
    ["texts/za.ts:1: home.left is neither translated nor in the fallback list"],
  ],
  [
    "a translation that the fallback list still names",
    (plant) => withTexts(plant, ZH, ZA.replace("'home.title'", "'home.title', 'home.left'")),
    ["texts/za.ts:1: home.left is translated and still in the fallback list"],
  ],
  [
    "a fallback for a word that is gone",
    (plant) => withTexts(plant, ZH, ZA.replace("'common'", "'common', 'home.gone'")),
    ["texts/za.ts:1: the fallback list names home.gone, which is not in texts/zh.ts"],
  ],
  [
    "a translation with other places, and an empty one",
    (plant) => withTexts(plant, ZH, ZA.replace("{count} baez", "baez").replace("'home.single'", "").replace("home: {", "home: { single: '',")),
    ["texts/za.ts:3: home.left has not the {places} of texts/zh.ts", "texts/za.ts:3: home.single is empty"],
  ],
);

proved(FAULTS);
