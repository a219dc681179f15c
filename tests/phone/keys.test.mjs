import assert from "node:assert/strict";
import { test } from "node:test";
import { onePage, open, soon } from "./kit.mjs";

const press = (phone, node, key) => {
  const event = new phone.window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  node.dispatchEvent(event);
  return event.defaultPrevented;
};
const place = (node) => [node.tabIndex, node.getAttribute("role")];

test("what hears a tap has a place in the order of Tab, a role, and answers Enter and the space bar", async () => {
  const phone = await open(onePage('<view id="a" bindtap="see">走</view><view id="b" aria-role="radio" bindtap="see">甲</view><text id="c" catchtap="see">条款</text>'));
  await soon();
  assert.deepEqual(["#a", "#b", "#c"].map((id) => place(phone.$(id))), [[0, "button"], [0, "radio"], [0, "button"]]);
  assert.ok(press(phone, phone.$("#a"), "Enter"));
  assert.ok(press(phone, phone.$("#b"), " "));
  assert.ok(!press(phone, phone.$("#c"), "x"));
  await soon();
  assert.deepEqual(phone.seen.map((event) => [event.type, event.currentTarget.id]), [["tap", "a"], ["tap", "b"]]);
});

test("a layer without words is no place to go, and neither is what is hidden from readers", async () => {
  const phone = await open(onePage('<view id="mask" bindtap="see"></view><view id="gone" aria-hidden="true" bindtap="see">画</view><view id="still">不能点</view>'));
  await soon();
  assert.deepEqual(["#mask", "#gone", "#still"].map((id) => place(phone.$(id))), [[-1, null], [-1, null], [-1, null]]);
});

test("controls keep their own role and answer a key once", async () => {
  const phone = await open(onePage('<button id="b" bindtap="see">交</button><checkbox id="c" bindtap="see"/><view id="box" bindtap="see"><button>里</button></view>'));
  await soon();
  assert.deepEqual(["#b", "#c", "#box"].map((id) => place(phone.$(id))), [[0, "button"], [0, "checkbox"], [0, null]]);
  press(phone, phone.$("#b"), "Enter");
  await soon();
  assert.deepEqual(phone.seen.map((event) => event.currentTarget.id), ["b"]);
});

test("a third party's part that only listens is no place to go; one with a role is", async () => {
  const more = {
    "p/index.json": { usingComponents: { "x-tag": "tags/tag" } },
    "miniprogram_npm/tags/tag.json": { component: true },
    "miniprogram_npm/tags/tag.wxml": '<view id="quiet" bindtap="on">标签</view><view id="loud" aria-role="button" bindtap="on">关闭</view>',
    "miniprogram_npm/tags/tag.js": "Component({ methods: { on() {} } })",
  };
  const phone = await open(onePage("<x-tag/>", "", more));
  await soon();
  press(phone, phone.window.document.body, "Tab");
  assert.deepEqual(["quiet", "loud"].map((id) => place(phone.window.document.getElementById(id))), [[-1, null], [0, "button"]]);
});

test("words that come later make their element reachable at the next Tab", async () => {
  const phone = await open(onePage('<view id="late" bindtap="see">{{words}}</view>', 'data: { words: "" }, onShow() { setTimeout(() => this.setData({ words: "来了" })) }'));
  await soon();
  assert.equal(phone.$("#late").tabIndex, -1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  press(phone, phone.window.document.body, "Tab");
  assert.deepEqual(place(phone.$("#late")), [0, "button"]);
});

test("the browser's Back goes back in the program as long as there is a page under the one in front", async () => {
  const more = { "app.json": { pages: ["p/index", "q/index"], window: {} }, "q/index.wxml": "<view>二</view>", "q/index.ts": "Page({})" };
  const phone = await open(onePage("<view>一</view>", "", more));
  assert.equal(phone.shell.program.back(), false);
  phone.wx.navigateTo({ url: "/q/index" });
  await soon();
  assert.equal(phone.shell.program.back(), true);
  await soon();
  assert.equal(phone.shell.program.back(), false);
});
