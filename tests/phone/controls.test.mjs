// Built-in elements that a person sets: each as WeChat says it behaves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { onePage, open, plain, soon } from "./kit.mjs";

const details = (phone) => phone.seen.map((event) => plain(event.detail));

test("a tap on words, with its place, bubbles with dataset to the page's handler", async () => {
  const phone = await open(onePage('<view data-id="7" bindtap="see"><text>按</text></view>'));
  await phone.tap("wx-text");
  const [event] = phone.seen;
  assert.equal(event.type, "tap");
  assert.deepEqual(plain(event.currentTarget.dataset), { id: "7" });
  assert.equal(event.changedTouches.length, 1);
  assert.deepEqual(Object.keys(event.detail).sort(), ["x", "y"]);
  assert.deepEqual([phone.errors.length, phone.missing.length], [0, 0]);
});

test("catchtap stops a tap, capture-bind hears it first", async () => {
  const phone = await open(onePage(
    '<view capture-bind:tap="first" bindtap="outer"><view id="in" catchtap="inner">x</view></view>',
    "order: [], first() { this.order.push(1) }, inner() { this.order.push(2) }, outer() { this.order.push(3) }",
  ));
  await phone.tap("#in");
  assert.deepEqual(plain(phone.page.order), [1, 2]);
});

test("a long press is heard after a while and swallows the tap", async () => {
  const phone = await open(onePage('<view id="v" bindlongpress="see" bindtap="see">x</view>'));
  await phone.touch(phone.$("#v"), "touchstart", [5, 5]);
  await soon(400);
  await phone.touch(phone.$("#v"), "touchend", [5, 5]);
  await phone.tap("#v");
  assert.deepEqual(phone.seen.map((event) => event.type), ["longpress"]);
});

test("catchtouchmove keeps the page from scrolling", async () => {
  const phone = await open(onePage('<view id="v" catchtouchmove="see">x</view><view id="w" bindtouchmove="see">y</view>'));
  assert.equal((await phone.touch(phone.$("#v"), "touchmove", [1, 2])).defaultPrevented, true);
  assert.equal((await phone.touch(phone.$("#w"), "touchmove", [1, 2])).defaultPrevented, false);
  assert.equal(phone.seen[0].touches[0].clientY, 2);
});

test("of a radio-group one radio is chosen, also through its label", async () => {
  const phone = await open(onePage(
    '<radio-group bindchange="see"><label id="a"><radio value="A"/>甲</label><label id="b"><radio value="B" checked/>乙</label></radio-group>',
  ));
  await phone.tap("#a");
  await phone.tap("#a wx-radio");
  assert.deepEqual(details(phone), [{ value: "A" }]);
  assert.deepEqual(phone.all("wx-radio").map((one) => one.getAttribute("aria-checked")), ["true", "false"]);
});

test("a disabled radio cannot be chosen", async () => {
  const phone = await open(onePage('<radio-group bindchange="see"><radio value="A" disabled/></radio-group>'));
  await phone.tap("wx-radio");
  assert.equal(phone.seen.length, 0);
});

test("a checkbox-group tells all that are ticked, in their order", async () => {
  const phone = await open(onePage(
    '<checkbox-group bindchange="see"><checkbox value="1"/><checkbox value="2" checked/><checkbox value="3"/></checkbox-group>',
  ));
  const boxes = phone.all("wx-checkbox");
  await phone.tap(boxes[0]);
  await phone.tap(boxes[1]);
  assert.deepEqual(details(phone), [{ value: ["1", "2"] }, { value: ["1"] }]);
});

test("a switch goes on and off and follows model:checked", async () => {
  const phone = await open(onePage('<switch model:checked="{{on}}" bindchange="see"/><text>{{on ? "开" : "关"}}</text>', "data: { on: false }"));
  await phone.tap("wx-switch");
  assert.equal(phone.words, "开");
  assert.equal(phone.$("wx-switch").getAttribute("role"), "switch");
  await phone.tap("wx-switch");
  assert.deepEqual(details(phone), [{ value: true }, { value: false }]);
});

test("a slider tells where it is while it moves and when it stops", async () => {
  const phone = await open(onePage('<slider min="10" max="20" step="2" value="12" bindchanging="see" bindchange="see"/>'));
  const bar = phone.$("input");
  bar.value = "16";
  for (const type of ["input", "change"]) bar.dispatchEvent(new phone.window.Event(type, { bubbles: true }));
  assert.deepEqual(phone.seen.map((event) => [event.type, event.detail.value]), [["changing", 16], ["change", 16]]);
});

test("an input tells value and cursor, keeps to maxlength and model:value, and its own DOM events stay inside", async () => {
  const phone = await open(onePage(
    '<input id="i" model:value="{{name}}" maxlength="4" bindinput="see" bindfocus="see" bindblur="see" bindconfirm="see" placeholder="名"/><text>{{name}}</text>',
    'data: { name: "" }',
  ));
  const box = phone.$("#i input");
  assert.deepEqual([box.maxLength, box.placeholder, box.getAttribute("aria-label")], [4, "名", "名"]);
  box.focus();
  await phone.type("#i", "小科");
  box.dispatchEvent(new phone.window.KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  assert.deepEqual(phone.seen.map((event) => event.type), ["focus", "input", "confirm", "blur"]);
  assert.deepEqual([phone.seen[1].detail.value, phone.words], ["小科", "小科"]);
});

test("an input shows what setData gives it, and takes focus when told", async () => {
  const phone = await open(onePage('<input value="{{v}}" focus="{{f}}" type="number" password/>', 'data: { v: "1", f: false }'));
  phone.page.setData({ v: "23", f: true });
  await soon();
  const box = phone.$("input");
  assert.deepEqual([box.value, box.inputMode, box.type, phone.window.document.activeElement === box], ["23", "numeric", "password", true]);
});

test("while a word is composed an input says nothing", async () => {
  const phone = await open(onePage('<input bindinput="see"/>'));
  const box = phone.$("input");
  box.dispatchEvent(new phone.window.Event("compositionstart"));
  await phone.type("wx-input", "ni");
  assert.equal(phone.seen.length, 0);
  box.dispatchEvent(new phone.window.Event("compositionend"));
  assert.equal(phone.seen.length, 1);
});

test("a textarea tells its value and breaks lines instead of confirming", async () => {
  const phone = await open(onePage('<textarea bindinput="see" bindconfirm="see" auto-height maxlength="-1" value="一"/>'));
  await phone.type("wx-textarea", "一\n二");
  phone.$("textarea").dispatchEvent(new phone.window.KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  assert.deepEqual(details(phone).map((detail) => detail.value), ["一\n二"]);
  assert.equal(phone.$("textarea").hasAttribute("maxlength"), false);
});

const FORM = `<form bindsubmit="see" bindreset="see">
  <input name="who" value="韦"/><textarea name="why" value="好"/><switch name="on" checked/><slider name="n" value="30"/>
  <radio-group name="r"><radio value="a" checked/></radio-group><checkbox-group name="c"><checkbox value="x" checked/></checkbox-group>
  <picker name="p" range="{{['甲','乙']}}" value="{{1}}">挑</picker><input value="没有名字"/>
  <button id="go" form-type="submit">交</button><button id="back" form-type="reset">清</button></form>`;

test("a form collects whatever has a name, and clears it again", async () => {
  const phone = await open(onePage(FORM));
  await phone.tap("#go");
  assert.deepEqual(plain(phone.seen[0].detail.value), { who: "韦", why: "好", on: true, n: 30, r: "a", c: ["x"], p: 1 });
  await phone.tap("#back");
  await phone.tap("#go");
  assert.equal(phone.seen[1].type, "reset");
  assert.deepEqual(plain(phone.seen[2].detail.value), { who: "", why: "", on: false, n: 0, r: "", c: [], p: 1 });
});

test("a label finds its control by name, anywhere in the page", async () => {
  const phone = await open(onePage('<label for="s">开关</label><view><switch id="s" bindchange="see"/></view>'));
  await phone.tap("wx-label");
  assert.deepEqual(details(phone), [{ value: true }]);
});

test("a button is reached by keys, and not when it is disabled", async () => {
  const phone = await open(onePage('<button bindtap="see" disabled="{{off}}" type="primary" size="mini">按</button>', "data: { off: false }"));
  const button = phone.$("wx-button");
  assert.deepEqual([button.getAttribute("role"), button.tabIndex, button.getAttribute("type")], ["button", 0, "primary"]);
  button.dispatchEvent(new phone.window.KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  await soon();
  phone.page.setData({ off: true });
  await phone.tap("wx-button");
  assert.deepEqual([phone.seen.length, button.tabIndex, button.getAttribute("aria-disabled")], [1, -1, "true"]);
});
