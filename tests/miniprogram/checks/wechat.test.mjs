/** What WeChat refuses or shows otherwise than a browser is found in the sources. */

import { HOME, proved, text, withPackage } from "./kit.mjs";

const STYLED = ({ swap }) => swap("app.json", '"lazyCodeLoading"', '"style": "v2",\n  "lazyCodeLoading"');

proved([
  ["nothing in WeChat's newer looks without TDesign", STYLED, []],
  [
    "WeChat's newer looks beside TDesign",
    (plant) => {
      STYLED(plant);
      withPackage(plant, "", "Component({})", "tdesign-miniprogram");
    },
    ['app.json:25: "style" restyles the buttons of TDesign (a block button becomes 184 px wide): leave it out'],
  ],
  [
    "a component framework that not every WeChat has",
    ({ swap, write }) => {
      swap("app.json", '"lazyCodeLoading"', '"componentFramework": "glass-easel",\n  "lazyCodeLoading"');
      write("components/row/index.json", '{\n  "component": true,\n  "componentFramework": "glass-easel"\n}');
    },
    [
      'app.json:25: "componentFramework" is in a grey release for pages in a web view: leave it out',
      'components/row/index.json:3: "componentFramework" is in a grey release for pages in a web view: leave it out',
    ],
  ],
]);

proved([
  [
    "a page for the timeline without a title of its own",
    ({ write }) => write("pages/mine/index.ts", "Page({\n  onShareAppMessage() {},\n  onShareTimeline() {},\n})\n"),
    ["pages/mine/index.json:1: a page for the timeline has no navigationBarTitleText"],
  ],
]);

proved([
  [
    "a script of another package",
    ({ swap, write }) => {
      write("packages/other/page/index.ts", "import '../../quiz/round/index'\nPage({})\n");
      for (const [part, body] of [["wxml", "<view />\n"], ["wxss", ""], ["json", "{}"]]) write(`packages/other/page/index.${part}`, body);
      swap("app.json", '"pages": ["round/index"] }', '"pages": ["round/index"] }, { "root": "packages/other", "pages": ["page/index"] }');
    },
    ["packages/other/page/index.ts:1: ../../quiz/round/index lies in package packages/quiz, and package packages/other cannot see into it"],
  ],
  [
    "a picture of another package",
    ({ swap, write }) => {
      write("packages/quiz/x.png", "");
      swap(`${HOME}.wxml`, "/assets/home.png", "/packages/quiz/x.png");
    },
    [`${HOME}.wxml:5: "/packages/quiz/x.png" lies in a package that this file cannot see into`],
  ],
]);

/** A template of the home page with one more line, which is its tenth. */
const line = (wxml) => ({ swap }) => swap(`${HOME}.wxml`, text(`${HOME}.wxml`), text(`${HOME}.wxml`).replace(/<\/view>\s*$/, `${wxml}\n</view>\n`));

proved([
  ["nothing in texts of texts", line("<text>a<text wx:if='{{a}}'>b</text><block>c</block></text><view />"), []],
  ["a box in a text", line("<text>a<block><view>b</view></block></text>"), [`${HOME}.wxml:10: <view> is not shown inside of <text>`]],
]);

proved([
  ["nothing in what both frameworks read", line("<view title='{{a ? \"x?.y()\" : 1}}'>{{a && !b[0] + 'in'}}</view>"), []],
  ["an escape that only one framework decodes", line("<text>3 &lt; 4</text>"), [`${HOME}.wxml:10: &lt; is not decoded by WeChat's older framework: write it as {{'…'}}`]],
  ["an old way to write a directive", line('<text wx-if="{{a}}">x</text>'), [`${HOME}.wxml:10: wx-if is written wx:if`]],
  ["an included template", line('<include src="/templates/line.wxml" />'), [`${HOME}.wxml:10: <include> loses item and index inside wx:for: use <import> and <template>`]],
  ["an optional chain in a template", line("<text>{{a?.b}}</text>"), [`${HOME}.wxml:10: ?. in a template: WeChat's older framework does not read it`]],
  ["a fallback in a template", line("<text>{{a ?? 'b'}}</text>"), [`${HOME}.wxml:10: ?? in a template: WeChat's older framework does not read it`]],
  ["a keyword operator in a template", line("<text>{{typeof a}}</text>"), [`${HOME}.wxml:10: a keyword operator in a template: WeChat's older framework does not read it`]],
  ["a function that a template calls", line("<text>{{rows.join(',')}}</text>"), [`${HOME}.wxml:10: a template calls rows(), which is no function of a <wxs> module`]],
]);
