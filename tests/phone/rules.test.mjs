// What WeChat refuses is refused, and told where tests look.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "./clock.mjs";
import { onePage, open, plain, soon } from "./kit.mjs";

const refused = (promise) => promise.then(() => "ok", ({ errMsg }) => errMsg);
const refusal = (promise) => promise.then(() => "ok", (why) => why);
const page = (path, wxml = "<view/>", script = "Page({})") => ({ [`${path}.wxml`]: wxml, [`${path}.ts`]: script });
const LAZY = {
  "app.json": { pages: ["a/index"], subPackages: [{ root: "packages/c", pages: ["d", "e"] }] },
  "app.ts": "App({ ran: [] })",
  ...page("a/index"),
  ...page("packages/c/d", "<own/>", "getApp().ran.push('d'); Page({})"),
  ...page("packages/c/e", "<view/>", "getApp().ran.push('e'); Page({})"),
  "packages/c/d.json": { usingComponents: { own: "./own" } },
  "packages/c/own.json": { component: true }, "packages/c/own.wxml": "<view>里</view>",
  "packages/c/own.ts": "getApp().ran.push('own'); Component({})",
};

test("the code of a package runs when a page of it is first opened, all of it once, and not before", async () => {
  const phone = await open(LAZY);
  const { ran } = phone.window.getApp();
  assert.deepEqual(plain(ran), []);
  await phone.wx.navigateTo({ url: "/packages/c/d" });
  assert.deepEqual([phone.words, plain(ran).sort()], ["里", ["d", "e", "own"]]);
  await phone.wx.redirectTo({ url: "/packages/c/e" });
  assert.equal(ran.length, 3);
  assert.deepEqual(plain(phone.errors), []);
});

test("a package that is not there yet cannot be opened without a network, and can be afterwards", async () => {
  const phone = await open(LAZY);
  let online = false;
  Object.defineProperty(phone.window.navigator, "onLine", { get: () => online, configurable: true });
  assert.match(await refused(phone.wx.navigateTo({ url: "/packages/c/d" })), /^navigateTo:fail loadSubpackage: fail/);
  assert.deepEqual([phone.page.route, phone.stack.length], ["a/index", 1]);
  online = true;
  assert.equal(await refused(phone.wx.navigateTo({ url: "/packages/c/d" })), "ok");
});

test("a component of another package runs with the page that uses it", async () => {
  const phone = await open({ ...LAZY, "a/index.json": { usingComponents: { own: "/packages/c/own" }, componentPlaceholder: { own: "view" } }, "a/index.wxml": "<own/>" });
  assert.deepEqual([phone.words, plain(phone.window.getApp().ran).sort()], ["里", ["d", "e", "own"]]);
});

const LATER = {
  ...LAZY, "packages/c/tool.ts": "export const word = '工'",
  ...page("a/index", "<view/>", `Page({
    later: () => require.async("../packages/c/tool.js"), call: (done, failed) => require("../packages/c/tool", done, failed),
    lost: () => require.async("../packages/c/gone"), lostCall: (done, failed) => require("../packages/c/gone", done, failed),
  })`),
};

test("a script of another package is taken in later, by require.async or with a callback", async () => {
  const warnings = [];
  const phone = await open(LATER, { warn: (line) => warnings.push(line) });
  assert.equal((await phone.page.later()).word, "工");
  assert.equal((await new Promise((done, failed) => phone.page.call(done, failed))).word, "工");
  const told = { mod: "../packages/c/gone", errMsg: "module '../packages/c/gone.js' is not defined" };
  assert.deepEqual(plain(await refusal(phone.page.lost())), told);
  assert.deepEqual(plain(await refusal(new Promise((done, failed) => phone.page.lostCall(done, failed)))), told);
  assert.deepEqual(warnings, Array(2).fill("a/index.ts:3: module ../packages/c/gone is not found"));
});

test("a card may lead straight into a package", async () => {
  const phone = await open(LAZY, { start: { path: "packages/c/d", scene: 1007 } });
  assert.deepEqual([phone.words, plain(phone.window.getApp().ran).sort()], ["里", ["d", "e", "own"]]);
});

test("setData brings no more to the page than WeChat does, and the rest of it all the same", async () => {
  const phone = await open(onePage("<text>{{a}}{{b}}{{c}}</text>", "data: { a: 1, b: 2, c: 3 }"));
  phone.page.setData({ a: undefined, b: "新", c: () => 1 });
  assert.equal(phone.words, "1新3");
  assert.deepEqual(plain(phone.errors).map((words) => /with (\w+ at \w)/.exec(words)[1]), ["undefined at a", "function at c"]);
  phone.page.setData({ a: "x".repeat(1_100_000), b: "不" });
  assert.equal(phone.words, "1新3");
  assert.match(phone.errors[2], /over the limit of 1048576 and is refused/);
});

test("of a value setData leaves out the part that it cannot carry, and no more", async () => {
  const phone = await open(onePage("<text>{{a.kept}}{{a.list.length}}{{a.when === undefined ? '无' : '有'}}</text>", "data: { a: {} }"));
  phone.page.setData({ a: { kept: "留", gone: undefined, when: new phone.window.Date(), list: [1, () => 1, { deep: undefined, x: 2 }] } });
  assert.equal(phone.words, "留3无");
  assert.deepEqual(plain(phone.page.data.a), { kept: "留", list: [1, null, { x: 2 }] });
  assert.deepEqual(plain(phone.errors).map((words) => /with (.+),/.exec(words)[1]), ["undefined at a.gone", "Date at a.when", "function at a.list.1", "undefined at a.list.2.deep"]);
});

test("a function does not come to the page, and the script finds it in its data all the same", async () => {
  const phone = await open(onePage("<text>{{a.go === undefined ? '无' : '有'}}{{b}}</text>", "data: { a: {}, b: 1, list: [{}] }"));
  phone.page.setData({ a: { go: () => "走" }, b: () => "二", "list[0].go": () => "三" });
  const { a, b, list } = phone.page.data;
  assert.deepEqual([phone.words, a.go(), b(), list[0].go(), phone.errors.length], ["无1", "走", "二", "三", 3]);
});

test("an observer that sets its own property again is not called for ever", async () => {
  const own = "Component({ properties: { a: { type: Array, value: [], observer(a) { this.calls = (this.calls ?? 0) + 1; if (this.calls < 9) this.setData({ a }) } } } })";
  const phone = await open({ ...onePage("<own id='o' a='{{list}}'/>", "data: { list: [{ gone: undefined }] }"), ...OWN, "c/own.ts": own });
  assert.equal(phone.page.selectComponent("#o").calls, 1);
});

const OWN = { "p/index.json": { usingComponents: { own: "/c/own" } }, "c/own.json": { component: true }, "c/own.wxml": "<view>{{a}}{{seen}}</view>" };
const OBSERVED = {
  "an observer without its method": ["properties: { a: { type: String, observer: 'gone' } }, observers: { a: 'gone' }", "2"],
  "an observer that is null": ["properties: { a: { type: String, observer: null }, b: null }, observers: { a: undefined }, methods: { x: undefined }, behaviors: [undefined]", "2"],
  "a property of several types": ["properties: { a: { type: [Number, String], value: '' }, b: { type: 'text' } }", "2"],
  "an observer by a behavior's method": ["behaviors: [Behavior({ methods: { tell(now) { this.setData({ seen: '见' + now }) } } })], properties: { a: { type: String, observer: 'tell' } }", "2见2"],
};
for (const [what, [parts, words]] of Object.entries(OBSERVED))
  test(`${what} does not stop its component`, async () => {
    const phone = await open({ ...onePage("<own a='{{v}}'/>", "data: { v: '1' }"), ...OWN, "c/own.ts": `Component({ ${parts} })` });
    phone.page.setData({ v: "2" });
    assert.deepEqual([phone.words, plain(phone.errors)], [words, []]);
  });

const SINGLE = ["login", "checkSession", "getUserProfile", "getGroupEnterInfo", "navigateTo", "redirectTo", "switchTab", "reLaunch", "navigateBack",
  "requestSubscribeMessage", "authorize", "openSetting", "saveImageToPhotosAlbum", "scanCode", "setNavigationBarTitle", "setNavigationBarColor",
  "showNavigationBarLoading", "hideNavigationBarLoading", "hideHomeButton", "setTabBarItem", "setTabBarBadge", "removeTabBarBadge", "showTabBarRedDot",
  "hideTabBarRedDot", "showTabBar", "hideTabBar", "getShareInfo", "showShareMenu", "hideShareMenu", "updateShareMenu", "setClipboardData", "getClipboardData"];
const ALONE = { start: { scene: 1154, mode: "singlePage" } };

test("in the timeline's single page nobody is signed in, asked or led away", async () => {
  const phone = await open(onePage('<button id="b" open-type="getPhoneNumber" bindgetphonenumber="see">号</button>'), ALONE);
  for (const name of SINGLE) assert.equal(await refused(phone.promised(name, { url: "/p/index" })), `${name}:fail is not available in single page mode`);
  assert.equal(phone.overWords, "");
  await phone.tap("#b");
  assert.deepEqual([phone.seen.length, phone.shell.asked.length, phone.overWords], [0, 0, "请前往小程序使用完整服务"]);
});

const ELSEWHERE = {
  "a call from a tap": ['<view id="b" bindtap="go">x</view>', "go() { wx.setClipboardData({ data: 'x', fail: () => {} }) }"],
  "a form": ['<form bindsubmit="see"><button id="b" form-type="submit">交</button></form>'],
  "a navigator": ['<navigator id="b" url="/p/index">去</navigator>'],
};
for (const [what, [wxml, script = ""]] of Object.entries(ELSEWHERE))
  test(`in the timeline's single page ${what} leads nowhere and says where it would`, async () => {
    const phone = await open(onePage(wxml, script), ALONE);
    await phone.tap("#b");
    assert.deepEqual([phone.seen.length, phone.stack.length, phone.overWords], [0, 1, "请前往小程序使用完整服务"]);
  });

test("in the timeline's single page the bar keeps the title of the page's settings", async () => {
  const phone = await open(onePage('<navigation-bar title="别的"/><view>x</view>'), ALONE);
  await phone.wx.setNavigationBarTitle({ title: "又别的", fail() {} });
  assert.equal(phone.window.document.getElementById("wx-title").textContent, "测试");
});

const BROWSER = ["URL", "URLSearchParams", "fetch", "window", "document", "localStorage", "TextEncoder", "btoa", "atob", "crypto", "structuredClone", "Intl", "navigator",
  "location", "XMLHttpRequest", "FormData", "requestAnimationFrame", "performance", "self"];

test("what a browser has and WeChat has not is absent from scripts, which may use such a name themselves", async () => {
  const there = (how) => `[${BROWSER.map((name) => `[${JSON.stringify(name)}, ${how(name)}]`)}].filter(([, kind]) => kind !== "undefined")`;
  const script = `import { URL as mine } from "../own"
    Page({ bare: ${there((name) => `typeof ${name}`)}, onGlobal: ${there((name) => `typeof globalThis.${name}`)}, mine, both: global === globalThis })`;
  const phone = await open({ ...onePage("<view/>", script), "own.ts": "export const URL = class { a = 1 }\nconst document = 2\nexport const sum = new URL().a + document" });
  assert.deepEqual([plain(phone.page.bare), plain(phone.page.onGlobal), typeof phone.page.mine, phone.page.both], [[], [], "function", true]);
});

test("what onLaunch sets is there when the scripts of pages and components run", async () => {
  const app = "App({ globalData: {}, onLaunch() { wx.getSystemInfo({ success: ({ windowWidth }) => { this.globalData.width = windowWidth } }) } })";
  const phone = await open({ ...onePage("<view/>", "Page({ data: { width: getApp().globalData.width } })"), "app.ts": app });
  assert.deepEqual([typeof phone.page.data.width, plain(phone.errors)], ["number", []]);
});

test("onLaunch may lead elsewhere before any page has run", async () => {
  const app = "App({ onLaunch() { wx.reLaunch({ url: '/q/index' }) } })";
  const phone = await open({ ...onePage("<view/>"), ...page("q/index"), "app.ts": app, "app.json": { pages: ["p/index", "q/index"] } });
  assert.deepEqual(plain(phone.errors), []);
});

test("a plugin is noted as missing, and its page stands", async () => {
  const phone = await open(onePage("<view>页</view>", "Page({ has: typeof requirePlugin('maps') + __wxConfig.envVersion })"));
  assert.deepEqual([phone.words, phone.page.has, plain(phone.missing)], ["页", "objectdevelop", ["plugin maps"]]);
});

test("Page, Component and global exist while app.js runs, and what is set on global is seen everywhere", async () => {
  const app = "global.shared = { seen: [typeof Page, typeof Component, typeof Behavior, typeof globalThis.Page, typeof global.Promise] }; App({})";
  const phone = await open({ ...onePage("<view/>", "Page({ shared: global.shared, other: typeof global.Page })"), "app.ts": app });
  assert.deepEqual([plain(phone.page.shared.seen), phone.page.other], [["function", "function", "function", "function", "function"], "function"]);
  assert.deepEqual(plain(phone.errors), []);
});

const TALKERS = ["login", "getGroupEnterInfo", "getPrivacySetting", "getShareInfo", "openPrivacyContract", "openOfficialAccountProfile", "getSystemInfoAsync"];

test("functions that WeChat makes no promise of give none, with callbacks and without", async () => {
  const phone = await open(onePage("<view/>"));
  for (const name of TALKERS) assert.deepEqual([phone.wx[name]({}), phone.wx[name]({ fail() {} })], [undefined, undefined], name);
  for (const name of ["request", "uploadFile", "downloadFile"]) {
    const task = phone.wx[name]({ url: "https://h.example.org/" });
    assert.deepEqual([typeof task.abort, task.then, task.catch], ["function", undefined, undefined], name);
  }
  await soon();
  assert.deepEqual(plain(phone.errors), []);
});

test("who refused the privacy contract is not asked again for ten seconds", async () => {
  const clock = new Clock();
  const answers = { privacyState: { needAuthorization: true, privacyContractName: "" }, privacy: { agreed: false } };
  const phone = await open(onePage("<view/>"), { answers, clock });
  const asked = () => phone.shell.asked.filter(([kind]) => kind === "privacy").length;
  for (let times = 0; times < 2; times += 1) assert.match(await refused(phone.wx.getClipboardData()), /privacy permission is not authorized/);
  assert.equal(asked(), 1);
  await phone.pass(10_000);
  await refused(phone.wx.getClipboardData());
  assert.equal(asked(), 2);
});

test("a card's path may be as long as a code's and no longer", async () => {
  const script = "onShareAppMessage() { return { path: '/p/index?a=' + 'x'.repeat(this.long) } }, long: 1013";
  const phone = await open(onePage("<view/>", script));
  await phone.shell.program.share("menu");
  assert.equal(phone.errors.length, 0);
  phone.page.long += 1;
  await phone.shell.program.share("menu");
  assert.match(phone.errors[0], /a card's path of 1025 characters is over 1024/);
});

test("event responders in WXS are told as missing when their page comes into use", async () => {
  const wxs = '<wxs module="m">module.exports = { go: function (e, owner) { owner.callMethod("go", e) } }</wxs><view bindtouchmove="{{m.go}}">x</view>';
  const phone = await open({
    ...page("a/index"), ...page("packages/c/d", wxs),
    "app.json": { pages: ["a/index"], subPackages: [{ root: "packages/c", pages: ["d"] }] },
  });
  assert.deepEqual(plain(phone.missing), []);
  await phone.wx.navigateTo({ url: "/packages/c/d" });
  assert.deepEqual(plain(phone.missing), ['packages/c/d.wxml:1: WXS event responder bindtouchmove="{{m.go}}"']);
});

test("an App hears what fails in its code, and what no page answers to; its own faults there end", async () => {
  const app = `App({ heard: [], onError(words) { this.heard.push(words.split("\\n")[0]); throw new Error("again") },
    onUnhandledRejection({ reason }) { this.heard.push(reason) }, onPageNotFound({ path }) { this.heard.push(path) } })`;
  const phone = await open({ ...onePage('<view bindtap="boom">x</view>', 'boom() { throw new Error("in a tap") }'), "app.ts": app });
  await phone.tap("wx-view");
  phone.window.dispatchEvent(Object.assign(new phone.window.Event("unhandledrejection"), { reason: "late" }));
  phone.shell.program.show({ ...phone.shell.start, path: "no/page" });
  await soon();
  assert.deepEqual(plain(phone.window.getApp().heard), ["Error: in a tap", "late", "no/page"]);
});

const MOVES = [
  ["navigate", "/q/index", ["p/index", "q/index"]], ["redirect", "/q/index", ["q/index"]], ["switchTab", "/t/index", ["t/index"]],
  ["reLaunch", "/t/index", ["t/index"]], ["navigateBack", "", ["p/index"]],
];
for (const [kind, url, routes] of MOVES)
  test(`a navigator with open-type ${kind} moves as wx does`, async () => {
    const phone = await open({
      ...onePage(`<navigator open-type="${kind}" url="${url}" bindsuccess="see" bindfail="see">去</navigator>`), ...page("q/index"), ...page("t/index"),
      "app.json": { pages: ["p/index", "q/index", "t/index"], tabBar: { list: [{ pagePath: "t/index", text: "一" }, { pagePath: "p/index", text: "二" }] } },
    });
    const first = phone.page;
    await phone.tap("wx-navigator");
    assert.deepEqual([[...phone.stack].map(({ route }) => route), first.seen[0].type], [routes, kind === "navigateBack" ? "fail" : "success"]);
  });

test("a navigator leaves the mini-program, and says that there is no other one here", async () => {
  const wxml = '<navigator id="x" target="miniProgram" open-type="exit">走</navigator><navigator id="o" target="miniProgram" app-id="wx1" bindfail="see">去</navigator>';
  const phone = await open(onePage(wxml), { answers: { close: {} } });
  await phone.tap("#x");
  await phone.tap("#o");
  assert.deepEqual([phone.shell.asked.at(-1)[0], phone.seen[0].type], ["close", "fail"]);
  assert.deepEqual(plain(phone.missing), ['<navigator target="miniProgram">: other mini-programs']);
});
