// Elements that move by themselves or offer much: swipers, regions, animations, tab bars of one's own.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { regionTree } from "../../server/emulator/phone/compile/regions.mjs";
import { Clock } from "./clock.mjs";
import { onePage, open, plain, soon } from "./kit.mjs";

const LEAVES = "<swiper-item item-id='a'>一</swiper-item><swiper-item item-id='b'>二</swiper-item><swiper-item item-id='c'>三</swiper-item>";
const places = (phone) => phone.all("wx-swiper-item").map((one) => one.style.transform);

test("a circular swiper goes on from the last leaf to the first, at its own pace", async () => {
  const clock = new Clock();
  const phone = await open(onePage(`<swiper circular autoplay interval="3000" current="1" bindchange="see" bindanimationfinish="see">${LEAVES}</swiper>`), { clock });
  await phone.pass(2999);
  assert.equal(phone.seen.length, 0);
  await phone.pass(6001);
  const changes = phone.seen.filter(({ type }) => type === "change").map(({ detail }) => [detail.current, detail.currentItemId, detail.source]);
  assert.deepEqual(changes, [[2, "c", "autoplay"], [0, "a", "autoplay"], [1, "b", "autoplay"]]);
  // The track ran on; the leaves that are seen and those beside them went along.
  assert.equal(phone.$(".wx-track").style.transform, "translateX(-400%)");
  assert.deepEqual(places(phone), ["translateX(300%)", "translateX(300%)", "translateX(300%)"]);
});

test("a circular swiper goes back from its first leaf to its last", async () => {
  const phone = await open(onePage(`<swiper circular bindchange="see">${LEAVES}</swiper>`));
  const swiper = phone.$("wx-swiper");
  swiper.getBoundingClientRect = () => ({ width: 300, height: 100 });
  for (const [type, x] of [["pointerdown", 10], ["pointerup", 200]])
    swiper.dispatchEvent(Object.assign(new phone.window.Event(type, { bubbles: true }), { clientX: x, clientY: 0 }));
  assert.deepEqual([phone.seen[0].detail.current, phone.$(".wx-track").style.transform], [2, "translateX(100%)"]);
  assert.deepEqual(places(phone), ["", "translateX(-300%)", "translateX(-300%)"]);
});

test("a swiper stops playing when it is told to, and goes to the leaf of an id", async () => {
  const clock = new Clock();
  const phone = await open(onePage(`<swiper autoplay="{{on}}" interval="100" current-item-id="{{id}}" bindchange="see">${LEAVES}</swiper>`, "data: { on: true, id: '' }"), { clock });
  await phone.pass(100);
  phone.page.setData({ on: false });
  await phone.pass(1000);
  phone.page.setData({ id: "c" });
  assert.deepEqual(phone.seen.map(({ detail }) => [detail.current, detail.source]), [[1, "autoplay"], [2, ""]]);
});

const REGIONS = regionTree(path.resolve("server/units/data/regions.json"));
const columns = (phone) => [...phone.window.document.querySelectorAll(".wx-column")];
const chosen = (phone) => columns(phone).map((column) => column.querySelector('[aria-selected="true"]')?.textContent);
const regions = (attributes, script) => open(onePage(`<picker mode="region" ${attributes} bindchange="see">挑</picker>`, script), { net: () => Response.json(REGIONS) });

test("a picker of regions offers the counties of the chosen city, and tells names and codes", async () => {
  const phone = await regions('value="{{v}}"', 'data: { v: ["广西壮族自治区", "桂林市", "阳朔县"] }');
  await phone.tap("wx-picker");
  assert.deepEqual(chosen(phone), ["广西壮族自治区", "桂林市", "阳朔县"]);
  await phone.press("柳州市");
  assert.deepEqual(chosen(phone), ["广西壮族自治区", "柳州市", "城中区"]);
  await phone.press("鱼峰区");
  await phone.press("确定");
  assert.deepEqual(plain(phone.seen[0].detail), { value: ["广西壮族自治区", "柳州市", "鱼峰区"], code: ["450000", "450200", "450203"], postcode: "" });
  assert.equal(phone.calls.filter(([url]) => url === "regions.json").length, 1);
});

test("a picker of regions may stop at the city and offer a choice of its own", async () => {
  const phone = await regions('level="city" custom-item="全部"');
  await phone.tap("wx-picker");
  assert.deepEqual([columns(phone).length, chosen(phone)], [2, ["全部", "全部"]]);
  await phone.press("广西壮族自治区");
  await phone.press("确定");
  assert.deepEqual(plain(phone.seen[0].detail), { value: ["广西壮族自治区", "全部"], code: ["450000"], postcode: "" });
});

test("an enhanced scroll-view tells what a finger does, and code can move it", async () => {
  const phone = await open(onePage('<scroll-view id="s" scroll-y enhanced scroll-top="75rpx" binddragstart="see" binddragging="see" binddragend="see">长</scroll-view>'));
  const view = phone.$("wx-scroll-view");
  assert.equal(view.scrollTop, (75 * phone.window.innerWidth) / 750);
  for (const type of ["touchstart", "touchmove", "touchend"]) await phone.touch(view, type);
  assert.deepEqual(phone.seen.map(({ type }) => type), ["dragstart", "dragging", "dragend"]);
  const moved = [];
  view.scrollTo = (to) => moved.push(plain(to));
  const [{ node }] = await new Promise((resolve) => phone.wx.createSelectorQuery().select("#s").node().exec(resolve));
  node.scrollTo({ top: 9, animated: false });
  assert.deepEqual(moved, [{ top: 9, behavior: "instant" }]);
});

test("steps of an animation follow each other by the clock, and a new one takes their place", async () => {
  const clock = new Clock();
  const phone = await open(onePage('<view animation="{{a}}">x</view>', "data: { a: null }"), { clock });
  const { style } = phone.$("wx-view");
  const made = (duration) => phone.wx.createAnimation({ duration });
  phone.page.setData({ a: made(100).left(5).step().scale(2).step({ delay: 50 }).export() });
  assert.deepEqual([style.left, style.transform], ["5px", ""]);
  await phone.pass(100);
  assert.deepEqual([style.left, style.transform], ["5px", "scale(2)"]);
  phone.page.setData({ a: made(100).left(1).step().left(9).step().export() });
  phone.page.setData({ a: made(100).left(2).step().export() });
  await phone.pass(1000);
  assert.equal(style.left, "2px");
});

test("this.animate hands its frames to the browser, and says when they are done", async () => {
  const phone = await open(onePage('<view class="k">x</view>'));
  const given = [];
  const element = phone.$(".k");
  element.animate = (frames, options) => {
    given.push(plain([frames, options]));
    return { finished: Promise.resolve() };
  };
  let [done, cancelled] = [0, 0];
  phone.page.animate(".k", [{ opacity: 1, translate: [0, 0] }, { opacity: 0, rotate: 45, width: 7, ease: "ease" }], 300, () => (done += 1));
  await soon();
  assert.deepEqual(given, [[[{ opacity: "1", transform: "translate(0px, 0px)" }, { easing: "ease", opacity: "0", width: "7px", transform: "rotate(45deg)" }], { duration: 300, fill: "forwards" }]]);
  element.getAnimations = () => [{ cancel: () => (cancelled += 1) }];
  phone.page.clearAnimation(".k", () => (done += 1));
  assert.deepEqual([done, cancelled], [2, 1]);
});

test("a program's own tab bar stands on each tab page, which can reach it", async () => {
  const tab = (name) => ({ [`${name}/index.wxml`]: `<view>${name}</view>`, [`${name}/index.ts`]: `Page({ onShow() { this.getTabBar().setData({ at: "${name}" }) } })` });
  const phone = await open({
    "app.json": { pages: ["a/index", "b/index", "c/index"], tabBar: { custom: true, list: [{ pagePath: "a/index", text: "一" }, { pagePath: "b/index", text: "二" }] } },
    ...tab("a"), ...tab("b"), "c/index.wxml": "<view/>", "c/index.ts": "Page({})",
    "custom-tab-bar/index.json": { component: true },
    "custom-tab-bar/index.wxml": '<view class="mine" bindtap="go">在{{at}}</view>',
    "custom-tab-bar/index.ts": 'Component({ data: { at: "" }, methods: { go() { wx.switchTab({ url: "/b/index" }) } } })',
  });
  assert.deepEqual([phone.words, phone.window.document.getElementById("wx-tabs").hidden], ["a在a", true]);
  // What sheets say of `page` is true of the bar too.
  assert.ok(phone.$("wx-page").contains(phone.named("在a")));
  await phone.tap(phone.all("wx-view").at(-1));
  assert.equal(phone.words, "b在b");
  await phone.wx.switchTab({ url: "/a/index" });
  assert.equal(phone.words, "a在a");
  await phone.wx.navigateTo({ url: "/c/index" });
  assert.equal(phone.page.getTabBar(), null);
  assert.deepEqual(plain(phone.errors), []);
});
