// Pages, components and the app: their lives, their stack, their data.

import assert from "node:assert/strict";
import { test } from "node:test";
import { onePage, open, plain, soon } from "./kit.mjs";

const LOG = "log(what) { getApp().log.push(this.route + ' ' + what) },";
const LIVES = ["onLoad", "onShow", "onReady", "onHide", "onUnload"].map((name) => `${name}() { this.log("${name}") }`).join(", ");
const page = (path, more = "") => ({ [`${path}.wxml`]: `<view>${path}</view>`, [`${path}.ts`]: `Page({ ${LOG} ${LIVES}, ${more} })` });
const APP = {
  "app.json": {
    pages: ["a/index", "b/index"],
    subPackages: [{ root: "packages/c", pages: ["d"] }],
    window: { navigationBarTitleText: "甲" },
    tabBar: { list: [{ pagePath: "a/index", text: "一" }, { pagePath: "b/index", text: "二" }] },
  },
  "app.ts": "App({ log: [], onLaunch(o) { this.launched = o }, onShow(o) { this.shown = (this.shown ?? 0) + 1 }, onHide() { this.hidden = true } })",
  ...page("a/index"), ...page("b/index"), ...page("packages/c/d"),
};
const log = (phone) => phone.window.getApp().log.splice(0).join().split(',');

test("an app is launched with its options, shown, and its first page lives through load, show and ready", async () => {
  const phone = await open(APP, { start: { scene: 1047, query: { scene: "x%3D1" } } });
  const { launched, shown } = phone.window.getApp();
  assert.deepEqual([launched.path, launched.scene, plain(launched.query), shown], ["a/index", 1047, { scene: "x%3D1" }, 1]);
  assert.deepEqual(log(phone), ["a/index onLoad", "a/index onShow", "a/index onReady"]);
  assert.deepEqual(plain(phone.page.options), { scene: "x%3D1" });
});

test("navigateTo hides the page below, navigateBack brings it back", async () => {
  const phone = await open(APP);
  log(phone);
  await phone.wx.navigateTo({ url: "../packages/c/d?n=1&m=%E4%B8%80" });
  assert.deepEqual(plain(phone.page.options), { n: "1", m: "%E4%B8%80" });
  await phone.wx.navigateBack();
  assert.deepEqual(log(phone), [
    "a/index onHide", "packages/c/d onLoad", "packages/c/d onShow", "packages/c/d onReady", "packages/c/d onUnload", "a/index onShow",
  ]);
});

test("switchTab keeps tab pages and closes the others", async () => {
  const phone = await open(APP);
  await phone.wx.navigateTo({ url: "/packages/c/d" });
  log(phone);
  await phone.wx.switchTab({ url: "/b/index" });
  await phone.wx.switchTab({ url: "/a/index" });
  assert.deepEqual(log(phone), ["packages/c/d onUnload", "b/index onLoad", "b/index onShow", "b/index onReady", "b/index onHide", "a/index onShow"]);
});

test("the tab bar switches, and says so to the page", async () => {
  const phone = await open({ ...APP, ...page("b/index", "onTabItemTap(e) { this.tapped = e }") });
  await phone.tap(phone.window.document.querySelectorAll("#wx-tabs button")[1]);
  assert.deepEqual(plain(phone.page.tapped), { index: 1, pagePath: "b/index", text: "二" });
  assert.equal(phone.window.document.querySelector('[aria-selected="true"]').textContent, "二");
});

test("reLaunch and redirectTo close what they replace", async () => {
  const phone = await open(APP);
  await phone.wx.navigateTo({ url: "/packages/c/d" });
  await phone.wx.redirectTo({ url: "/packages/c/d?again=1" });
  assert.equal(phone.stack.length, 2);
  await phone.wx.reLaunch({ url: "/packages/c/d" });
  assert.deepEqual([phone.stack.length, phone.window.document.querySelectorAll(".wx-frame").length], [1, 1]);
});

const refused = (phone, name, url) => phone.wx[name]({ url }).then(() => "ok", ({ errMsg }) => errMsg);

test("WeChat's rules of moving are kept", async () => {
  const phone = await open(APP);
  assert.match(await refused(phone, "navigateTo", "/b/index"), /navigateTo:fail can not navigateTo a tabbar page/);
  assert.match(await refused(phone, "switchTab", "/packages/c/d"), /can not switch to no-tabBar page/);
  assert.match(await refused(phone, "navigateBack"), /cannot navigate back at first page/);
  for (let deep = 1; deep < 10; deep += 1) await phone.wx.navigateTo({ url: "/packages/c/d" });
  assert.match(await refused(phone, "navigateTo", "/packages/c/d"), /webview count limit exceed/);
  assert.match(await refused(phone, "redirectTo", "/no/page"), /page "no\/page" is not found/);
  assert.equal(phone.errors.length, 1);
});

test("pages talk through the channel between them", async () => {
  const phone = await open({ ...APP, ...page("packages/c/d", "say() { this.getOpenerEventChannel().emit('said', 1) }") });
  const heard = [];
  const { eventChannel } = await phone.wx.navigateTo({ url: "/packages/c/d", events: { said: (value) => heard.push(value) } });
  phone.page.getOpenerEventChannel().on("ask", (value) => heard.push(value));
  eventChannel.emit("ask", 2);
  phone.page.say();
  assert.deepEqual(heard, [2, 1]);
});

test("to the background and back: App and page hide and show once each", async () => {
  const phone = await open(APP);
  log(phone);
  phone.shell.program.hide();
  phone.shell.program.hide();
  phone.shell.program.show({ ...phone.shell.start, path: "" });
  assert.deepEqual(log(phone), ["a/index onHide", "a/index onShow"]);
  phone.shell.program.show({ ...phone.shell.start, path: "packages/c/d", scene: 1007, query: { x: "1" } });
  assert.deepEqual([phone.page.route, phone.wx.getEnterOptionsSync().scene, phone.wx.getLaunchOptionsSync().scene], ["packages/c/d", 1007, 1001]);
});

test("a start at a page that is gone is told to the program and ends at home", async () => {
  const phone = await open({ ...APP, "app.ts": "const got = []; wx.onPageNotFound((e) => got.push(e)); App({ got, log: [] })" }, { start: { path: "old/page" } });
  assert.deepEqual([phone.page.route, phone.window.getApp().got[0].path], ["a/index", "old/page"]);
  assert.match(phone.errors.join(), /old\/page/);
});

test("in the timeline's single page nothing moves and nobody signs in", async () => {
  const phone = await open(APP, { start: { scene: 1154, mode: "singlePage", path: "packages/c/d" } });
  assert.match(await refused(phone, "navigateTo", "/packages/c/d"), /single page mode/);
  assert.match(await phone.promised("login").catch(({ errMsg }) => errMsg), /single page mode/);
  assert.equal(phone.window.document.querySelectorAll("#wx-tabs button").length, 0);
  phone.wx.setStorageSync("k", 1);
  assert.equal(phone.window.localStorage.key(0), "mp:wei:single:k");
});

test("scrolling a page tells it, and its end once", async () => {
  const phone = await open(onePage("<view/>", "onPageScroll(e) { this.seen.push(e.scrollTop) }, onReachBottom() { this.seen.push('end') }"));
  const scroller = phone.$("wx-page");
  Object.defineProperties(scroller, { clientHeight: { value: 100 }, scrollHeight: { value: 1000 } });
  for (const top of [100, 860, 880, 100]) {
    scroller.scrollTop = top;
    scroller.dispatchEvent(new phone.window.Event("scroll"));
  }
  assert.deepEqual(phone.seen, [100, 860, "end", 880, 100]);
});

test("pulling a page down refreshes it where it may, until it is stopped", async () => {
  const page = onePage("<view/>", "onPullDownRefresh() { this.seen.push(1) }", { "p/index.json": { enablePullDownRefresh: true } });
  const phone = await open(page);
  const pull = async () => {
    for (const [type, y] of [["touchstart", 0], ["touchmove", 90], ["touchend", 90]]) await phone.touch(phone.$("wx-page"), type, [0, y]);
  };
  await pull();
  await pull();
  assert.deepEqual([phone.seen, phone.frame.classList.contains("wx-pulled")], [[1], true]);
  await phone.wx.stopPullDownRefresh();
  assert.equal(phone.frame.classList.contains("wx-pulled"), false);
});

const COMPONENT = {
  "c/score.json": { component: true },
  "c/score.wxml": '<view class="box">{{label}}:{{double}}<slot name="tail"/><slot/></view><button id="up" bindtap="up">+</button>',
  "c/score.wxss": ".box { color: red } :host { display: block }",
  "c/score.ts": `Component({
    options: { multipleSlots: true },
    properties: { label: String, value: { type: Number, value: 1 } },
    data: { double: 2 },
    observers: { value(v) { this.setData({ double: v * 2 }) } },
    lifetimes: { attached() { this.lived = ["attached"] }, ready() { this.lived.push("ready") }, detached() { getApp().gone = true } },
    pageLifetimes: { show() { this.lived.push("show") }, hide() { this.lived.push("hide") } },
    methods: { up() { this.triggerEvent("change", { value: this.data.value + 1 }, { bubbles: true, composed: true }) } },
  })`,
};

test("a component has properties, observers, slots, lifetimes, events and a style of its own", async () => {
  const phone = await open({
    ...onePage('<score wx:if="{{on}}" class="s" label="分" value="{{n}}" bind:change="see"><text slot="tail">尾</text>身</score>', "data: { on: true, n: 4 }"),
    "p/index.json": { usingComponents: { score: "/c/score" } }, "app.ts": "App({})", ...COMPONENT,
  });
  assert.equal(phone.words, "分:8尾身+");
  await phone.tap("#up");
  assert.equal(phone.seen[0].detail.value, 5);
  assert.match(phone.$(".s wx-view").className, /^s\d+--box$/);
  assert.deepEqual(plain(phone.page.selectComponent(".s").lived), ["attached", "show", "ready"]);
  phone.page.setData({ on: false });
  assert.equal(phone.window.getApp().gone, true);
});

test("templates repeat, choose, import and call wxs as WeChat's do", async () => {
  const phone = await open({
    ...onePage(`<import src="../t.wxml"/><include src="../i.wxml"/><wxs src="../m.wxs" module="m"/><wxs module="n">module.exports = { kind: function (v) { return v.constructor } }</wxs>
<block wx:for="{{list}}" wx:for-item="one" wx:key="id"><template is="row" data="{{...one, at: index}}"/></block><view wx:if="{{no}}">否</view><view wx:elif="{{list.length > 1}}">多</view><view wx:else>少</view>{{m.shout('a')}}{{n.kind(list)}}{{n.kind('x')}}`,
    'data: { no: false, list: [{ id: 1, name: "甲" }, { id: 2, name: "乙" }] }'),
    "t.wxml": '<template name="row"><view>{{at}}{{name}}</view></template>',
    "i.wxml": "<view>头</view>",
    "m.wxs": "var own = require('./w/own.wxs'); module.exports = { shout: own.shout }",
    "w/own.wxs": "var re = getRegExp('a', 'g'); module.exports = { shout: function (s) { return s.replace(re, 'B') + getDate(0).getTime() } }",
  });
  assert.equal(phone.words, "头0甲1乙多B0ArrayString");
  assert.equal(phone.errors.length, 0);
});

test("setData changes paths, and refuses what JSON cannot carry or WeChat finds too much", async () => {
  const phone = await open(onePage("<text>{{a.b[1].c}}</text>", "data: { a: { b: [{}, { c: 1 }] } }"));
  phone.page.setData({ "a.b[1].c": 2 });
  assert.deepEqual([phone.words, phone.errors.length], ["2", 0]);
  const { window } = phone;
  for (const [value, fault] of [["() => 1", "function at x"], ["undefined", "undefined at x"], ["[1, NaN]", "NaN at x.1"], ["new Date(0)", "Date at x"], ["'y'.repeat(300000)", "over the audit's 262144"], ["'y'.repeat(1100000)", "over the limit of 1048576"]]) {
    phone.page.setData({ x: window.eval(value) });
    assert.match(window.__errors.pop(), new RegExp(`p/index: setData .*${fault}`));
  }
});

test("behaviors that have WeChat's own names are known, and a form reads such a component", async () => {
  const phone = await open({
    ...onePage('<form bindsubmit="see"><own name="mine"/><button form-type="submit">交</button></form>'),
    "p/index.json": { usingComponents: { own: "/c/own" } },
    "c/own.json": { component: true }, "c/own.wxml": "<view>{{value}}</view>",
    "c/own.ts": 'Component({ behaviors: ["wx://form-field"], lifetimes: { attached() { this.setData({ value: 7 }) } } })',
  });
  await phone.tap("wx-button");
  assert.deepEqual(plain(phone.seen[0].detail.value), { mine: 7 });
});

test("whatever fails or is missing is kept where tests look", async () => {
  const phone = await open(onePage('<view id="v" bindtap="boom">x</view>', "boom() { wx.noSuchThing; throw new Error('in a handler') }, onShow() { throw new Error('in onShow') }"));
  await phone.tap("#v");
  assert.deepEqual(plain(phone.missing), ["wx.noSuchThing"]);
  assert.match(phone.errors[0], /p\/index onShow: Error: in onShow/);
  assert.match(phone.errors[1], /in a handler/);
});

test("a query finds sizes, places in the page and properties", async () => {
  const phone = await open(onePage('<view class="k" data-n="1">x</view><view class="k">y</view><canvas type="2d" id="c"/>'));
  const [first] = phone.all(".k");
  first.getBoundingClientRect = () => ({ left: 1, right: 11, top: 60, bottom: 80, width: 10, height: 20 });
  phone.window.document.getElementById("wx-stage").getBoundingClientRect = () => ({ top: 52, width: 300, height: 500 });
  const query = phone.page.createSelectorQuery();
  query.select(".k").boundingClientRect();
  query.selectAll(".k").fields({ dataset: true });
  query.selectViewport().boundingClientRect();
  query.select("#c").fields({ node: true });
  query.select(".none").boundingClientRect();
  const results = await new Promise((resolve) => query.exec(resolve));
  assert.deepEqual(plain(results[0]), { id: "", dataset: { n: "1" }, left: 1, right: 11, top: 8, bottom: 28, width: 10, height: 20 });
  assert.deepEqual(plain(results[1]), [{ dataset: { n: "1" } }, { dataset: {} }]);
  assert.equal(results[2].height, 500);
  assert.equal(results[3].node.tagName, "CANVAS");
  assert.equal(results[4], null);
  await soon();
});
