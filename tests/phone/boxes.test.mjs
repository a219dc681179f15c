// Built-in elements that show, scroll and choose.

import assert from "node:assert/strict";
import { test } from "node:test";
import { onePage, open, plain, soon } from "./kit.mjs";

const PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const told = (phone) => phone.seen.map((event) => [event.type, plain(event.detail)]);

/** Gives an element sizes, which jsdom does not lay out. */
const sized = (element, sizes) => {
  for (const [name, value] of Object.entries(sizes)) Object.defineProperty(element, name, { value, configurable: true });
};

test("a view hides, speaks to readers and keeps rpx in its style", async () => {
  const phone = await open(onePage(
    '<view id="v" hidden="{{h}}" aria-role="heading" aria-label="标题" aria-level="2" style="width: 20rpx; margin: -1.5rpx 10vh">x</view>', "data: { h: true }"));
  const view = phone.$("#v");
  assert.deepEqual([view.hidden, view.getAttribute("role"), view.getAttribute("aria-label"), view.getAttribute("aria-level")], [true, "heading", "标题", "2"]);
  assert.match(view.getAttribute("style"), /calc\(20 \* var\(--rpx\)\)/);
  assert.match(view.getAttribute("style"), /calc\(-1\.5 \* var\(--rpx\)\) calc\(10 \* var\(--vh\)\)/);
  phone.page.setData({ h: false });
  assert.equal(view.hidden, false);
});

test("hover-class rests on an element while a finger does, in the page's own scope", async () => {
  const phone = await open(onePage('<view id="v" hover-class="down" hover-start-time="0" hover-stay-time="0">x</view>'));
  await phone.touch(phone.$("#v"), "touchstart");
  await soon();
  assert.ok(phone.$("#v").classList.contains("down"));
  await phone.touch(phone.$("#v"), "touchend");
  await soon();
  assert.ok(!phone.$("#v").classList.contains("down"));
});

test("an image loads files of the app, addresses outside through the forwarder, and data as it is", async () => {
  const phone = await open(onePage(`<image src="/assets/a.png"/><image src="../b.png"/><image src="https://img.example.org/c.png?d=1"/><image src="${PICTURE}" mode="aspectFit"/><image src=""/>`));
  const sources = phone.all("wx-image > img").map((one) => one.getAttribute("src"));
  assert.deepEqual(sources, ["files/assets/a.png", "files/b.png", "/phone/net/img.example.org/c.png?d=1", PICTURE, null]);
  assert.equal(phone.all("wx-image")[3].getAttribute("mode"), "aspectFit");
});

test("an image tells that it loaded or failed", async () => {
  const phone = await open(onePage('<image src="/a.png" bindload="see" binderror="see" aria-label="图"/>'));
  const picture = phone.$("img");
  picture.dispatchEvent(new phone.window.Event("load"));
  picture.dispatchEvent(new phone.window.Event("error"));
  assert.deepEqual(phone.seen.map((event) => event.type), ["load", "error"]);
  assert.deepEqual([picture.alt, phone.$("wx-image").getAttribute("role")], ["图", "img"]);
});

test("a scroll-view tells its scrolling and both of its ends, each once", async () => {
  const phone = await open(onePage('<scroll-view scroll-y bindscroll="see" bindscrolltolower="see" bindscrolltoupper="see" lower-threshold="20">x</scroll-view>'));
  const view = phone.$("wx-scroll-view");
  sized(view, { scrollHeight: 500, clientHeight: 100, scrollWidth: 50, clientWidth: 50 });
  for (const top of [200, 385, 390, 10]) {
    view.scrollTop = top;
    view.dispatchEvent(new phone.window.Event("scroll"));
  }
  assert.deepEqual(phone.seen.map((event) => event.type), ["scroll", "scroll", "scrolltolower", "scroll", "scroll", "scrolltoupper"]);
  assert.deepEqual(plain(phone.seen[1].detail), { scrollTop: 385, scrollLeft: 0, scrollHeight: 500, scrollWidth: 50, deltaX: 0, deltaY: -185 });
});

test("a scroll-view goes where it is told, and refreshes when it is pulled", async () => {
  const phone = await open(onePage(
    '<scroll-view scroll-y scroll-top="{{t}}" refresher-enabled refresher-triggered="{{r}}" bindrefresherrefresh="see" bindrefresherrestore="see">x</scroll-view>',
    "data: { t: 30, r: false }"));
  const view = phone.$("wx-scroll-view");
  assert.equal(view.scrollTop, 30);
  phone.page.setData({ t: 0 });
  assert.equal(view.scrollTop, 0);
  for (const [type, y] of [["touchstart", 0], ["touchmove", 60], ["touchend", 60]]) await phone.touch(view, type, [0, y]);
  phone.page.setData({ r: true });
  phone.page.setData({ r: false });
  assert.deepEqual(phone.seen.map((event) => event.type), ["refresherrefresh", "refresherrestore"]);
});

test("a swiper follows current and a finger, with dots, and says what moved it", async () => {
  const leaves = "<swiper-item item-id='a'>一</swiper-item><swiper-item item-id='b'>二</swiper-item><swiper-item>三</swiper-item>";
  const phone = await open(onePage(`<swiper indicator-dots duration="0" current="{{c}}" bindchange="see">${leaves}</swiper>`, "data: { c: 0 }"));
  const swiper = phone.$("wx-swiper");
  assert.equal(phone.all(".wx-dots > i").length, 3);
  phone.page.setData({ c: 2 });
  swiper.getBoundingClientRect = () => ({ width: 300, height: 100 });
  for (const [type, x] of [["pointerdown", 100], ["pointerup", 250]])
    swiper.dispatchEvent(Object.assign(new phone.window.Event(type, { bubbles: true }), { clientX: x, clientY: 0 }));
  assert.deepEqual(phone.seen.map(({ detail }) => [detail.current, detail.currentItemId, detail.source]), [[2, "", ""], [1, "b", "touch"]]);
  assert.equal(phone.$(".wx-track").style.transform, "translateX(-100%)");
  assert.deepEqual(phone.all("wx-swiper-item").map((one) => one.getAttribute("aria-hidden")), ["true", "false", "true"]);
});

test("a swiper that plays by itself goes round", async () => {
  const phone = await open(onePage('<swiper autoplay interval="10" current="1" bindchange="see"><swiper-item>一</swiper-item><swiper-item>二</swiper-item></swiper>'));
  await soon(60);
  assert.deepEqual(plain(phone.seen[0].detail), { current: 0, currentItemId: "", source: "autoplay" });
});

test("a picker of one list answers a place, or that it was left", async () => {
  const phone = await open(onePage('<picker range="{{r}}" range-key="n" value="{{1}}" bindchange="see" bindcancel="see"><view>挑</view></picker>', 'data: { r: [{ n: "甲" }, { n: "乙" }, { n: "丙" }] }'));
  await phone.tap("wx-picker");
  assert.equal(phone.over('[aria-selected="true"]').textContent, "乙");
  await phone.press("丙");
  await phone.press("确定");
  await phone.tap("wx-picker");
  await phone.press("取消");
  assert.deepEqual(told(phone), [["change", { value: 2 }], ["cancel", {}]]);
  assert.equal(phone.over(".wx-picker"), null);
});

test("a picker of many columns tells each move, and shows the lists that follow from it", async () => {
  const phone = await open(onePage('<picker mode="multiSelector" range="{{r}}" value="{{v}}" bindcolumnchange="next" bindchange="see">挑</picker>',
    'data: { r: [["桂林", "柳州"], ["象山"]], v: [0, 0] }, next(e) { this.see(e); this.setData({ r: [["桂林", "柳州"], ["城中", "鱼峰"]], v: [1, 0] }) }'));
  await phone.tap("wx-picker");
  await phone.press("柳州");
  await phone.press("鱼峰");
  await phone.press("确定");
  assert.deepEqual(told(phone)[0], ["columnchange", { column: 0, value: 1 }]);
  assert.equal(phone.seen.at(-1).type, "change");
});

test("pickers of dates and times keep to their ends and to the month's days", async () => {
  const phone = await open(onePage('<picker id="d" mode="date" value="2024-02-28" start="2023-05-01" end="2025-01-01" bindchange="see">日</picker><picker id="t" mode="time" value="08:05" start="08:03" end="20:00" bindchange="see">时</picker>'));
  await phone.tap("#d");
  const days = [...phone.over(".wx-column:last-child").children];
  assert.equal(days.length, 29);
  await phone.tap(days[28]);
  await phone.press("确定");
  await phone.tap("#t");
  await phone.tap(phone.over(".wx-column:last-child").children[1]);
  await phone.press("确定");
  assert.deepEqual(told(phone).map(([, detail]) => detail.value), ["2024-02-29", "08:03"]);
});

test("a picker that is off does not open", async () => {
  const phone = await open(onePage('<picker disabled range="{{[1]}}">挑</picker>'));
  await phone.tap("wx-picker");
  assert.equal(phone.over(".wx-picker"), null);
});

test("a picker-view scrolls its columns to the value and tells where they stop", async () => {
  const phone = await open(onePage('<picker-view value="{{[1]}}" bindchange="see"><picker-view-column><view wx:for="{{[1,2,3]}}" wx:key="*this">{{item}}</view></picker-view-column></picker-view>'));
  const column = phone.$("wx-picker-view-column");
  assert.equal(column.scrollTop, 1);
  column.scrollTop = 2;
  column.dispatchEvent(new phone.window.Event("scroll"));
  await soon(160);
  assert.deepEqual(told(phone), [["change", { value: [2] }]]);
});

test("rich-text shows trusted tags alone, of a text and of nodes", async () => {
  const phone = await open(onePage("<rich-text nodes='{{a}}'/><rich-text nodes='{{b}}'/>",
    'data: { a: "<p class=\\"k\\" onclick=\\"x()\\">一<script>1</scr" + "ipt><b>二</b></p>", b: [{ name: "h3", attrs: { style: "width: 2rpx" }, children: [{ type: "text", text: "a&lt;b" }] }, { name: "iframe" }] }'));
  const [first, second] = phone.all("wx-rich-text");
  assert.equal(first.innerHTML, '<p class="k">一<b>二</b></p>');
  assert.equal(second.textContent, "a<b");
  assert.equal(second.children.length, 1);
});

test("progress and icon draw what they say", async () => {
  const phone = await open(onePage('<progress percent="{{p}}" show-info/><icon type="success" size="30"/>', "data: { p: 40 }"));
  phone.page.setData({ p: 140 });
  assert.equal(phone.$("wx-progress").getAttribute("aria-valuenow"), "100");
  assert.equal(phone.$("wx-progress span").textContent, "100%");
  assert.equal(phone.$("wx-icon").style.getPropertyValue("--size"), "30px");
});

test("page-meta and navigation-bar set the page from its own template", async () => {
  const phone = await open(onePage('<page-meta page-style="{{s}}" page-font-size="20px"><navigation-bar title="新名" front-color="#000000"/></page-meta><view/>', 'data: { s: "overflow: hidden" }'));
  const page = phone.$("wx-page");
  assert.deepEqual([page.style.overflow, page.style.fontSize], ["hidden", "20px"]);
  assert.equal(phone.window.document.getElementById("wx-title").textContent, "新名");
  phone.page.setData({ s: "" });
  assert.equal(page.style.overflow, "");
});

test("a navigator goes where it points", async () => {
  const phone = await open(onePage('<navigator url="/q/index?a=1" bindsuccess="see">去</navigator>', "",
    { "app.json": { pages: ["p/index", "q/index"] }, "q/index.wxml": "<view>二</view>", "q/index.ts": "Page({})" }));
  const first = phone.page;
  await phone.tap("wx-navigator");
  assert.deepEqual([phone.words, plain(phone.page.options), first.seen.length], ["二", { a: "1" }, 1]);
});

test("root-portal, page-container, cover-view and text show their children", async () => {
  const phone = await open(onePage('<root-portal><view>一</view></root-portal><page-container show="{{s}}" bindenter="see">二</page-container><cover-view>三</cover-view><text user-select>四</text>', "data: { s: false }"));
  phone.page.setData({ s: true });
  assert.equal(phone.words, "一二三四");
  assert.deepEqual([phone.seen.length, phone.$("wx-text").hasAttribute("userselect")], [1, true]);
});

test("official-account shows only after the scenes in which WeChat shows it", async () => {
  const page = onePage('<official-account bindload="see" binderror="see"/>');
  const list = await open(page);
  assert.deepEqual(list.seen.map((event) => event.type), ["error"]);
  const scanned = await open(page, { start: { scene: 1047 }, answers: { officialAccount: {} } });
  await scanned.tap("wx-official-account button");
  assert.deepEqual([scanned.seen[0].type, scanned.shell.asked.at(-1)[0]], ["load", "officialAccount"]);
});

test("open-data shows a group's name, which the program does not learn", async () => {
  const net = (url) => (url.endsWith("opengid=g1") ? Response.json({ name: "科普群" }) : new Response("", { status: 404 }));
  const phone = await open(onePage('<open-data type="groupName" open-gid="{{g}}" default-text="某个群" binderror="see"/>', 'data: { g: "g1" }'), { net });
  assert.equal(phone.words, "科普群");
  phone.page.setData({ g: "g2" });
  await soon();
  assert.deepEqual([phone.words, phone.seen.length], ["某个群", 1]);
});

test("buttons with an open-type ask the phone and tell the page", async () => {
  const answers = { phoneNumber: { code: "c9" }, avatar: { file: new Blob(["x"], { type: "image/jpeg" }) } };
  const phone = await open(onePage('<button id="n" open-type="getPhoneNumber" bindgetphonenumber="see">号</button><button id="a" open-type="chooseAvatar" bindchooseavatar="see">像</button>'), { answers });
  await phone.tap("#n");
  await phone.tap("#a");
  assert.deepEqual(told(phone), [["getphonenumber", { code: "c9", errMsg: "getPhoneNumber:ok" }], ["chooseavatar", { avatarUrl: "http://tmp/1.jpeg" }]]);
});

test("a nickname that WeChat's check refuses is taken out of the field", async () => {
  const page = onePage('<input type="nickname" bindinput="see" bindnicknamereview="see"/>');
  const chosen = await open(page, { answers: { nickname: { name: "坏名字", pass: false } } });
  chosen.$("input").focus();
  await soon();
  assert.deepEqual(chosen.seen.map((event) => event.detail.value ?? event.detail.pass), ["坏名字", "", false]);
  assert.equal(chosen.$("input").value, "");
  const typed = await open(page, { answers: { nickname: { name: null, pass: true }, nicknameReview: { pass: false } } });
  const box = typed.$("input");
  box.focus();
  await soon();
  box.value = "坏名字";
  box.dispatchEvent(new typed.window.Event("input"));
  box.blur();
  await soon();
  const names = typed.shell.asked.filter(([kind]) => kind === "nicknameReview").map(([, { name }]) => name);
  assert.deepEqual(names, ["坏名字"]);
  assert.equal(box.value, "");
});

test("a nickname field offers WeChat's name once, after consent alone", async () => {
  const page = onePage('<input type="nickname" bindinput="see"/>');
  const phone = await open(page, { answers: { nickname: { name: "韦小妹", pass: true } } });
  phone.$("input").focus();
  await soon();
  assert.equal(phone.seen[0].detail.value, "韦小妹");
  const refused = await open(page, { answers: { privacyState: { needAuthorization: true, privacyContractName: "" }, privacy: { agreed: false } } });
  refused.$("input").focus();
  await soon();
  assert.deepEqual([refused.seen.length, refused.errors.length], [0, 0]);
});
