// wx.enableAlertBeforeUnload: the back key asks, everything else goes its way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { onePage, open, soon } from "./kit.mjs";

const APP = {
  ...onePage("<view>一</view>"),
  "app.json": { pages: ["p/index", "q/index"] },
  "q/index.wxml": "<view>二</view>",
  "q/index.ts": "Page({})",
};
const at = async () => {
  const phone = await open(APP);
  await phone.wx.navigateTo({ url: "/q/index" });
  return phone;
};
const route = (phone) => phone.page.route;
const back = (phone) => phone.tap(phone.window.document.getElementById("wx-back"));
const ask = (phone, message) => new Promise((success, fail) => phone.wx.enableAlertBeforeUnload({ message, success, fail }));

test("the back key asks with the page's words; staying and leaving are the reader's choice", async () => {
  const phone = await at();
  await ask(phone, "现在离开吗？");
  await back(phone);
  assert.ok(phone.overWords.includes("现在离开吗？"));
  assert.equal(route(phone), "q/index");
  await phone.press("取消");
  assert.equal(route(phone), "q/index");
  await back(phone);
  await phone.press("确定");
  assert.equal(route(phone), "p/index");
});

test("the question belongs to its page, and can be taken back", async () => {
  const phone = await at();
  await ask(phone, "现在离开吗？");
  phone.wx.disableAlertBeforeUnload();
  await back(phone);
  assert.equal(route(phone), "p/index");
  await phone.wx.navigateTo({ url: "/q/index" });
  await ask(phone, "现在离开吗？");
  await phone.wx.navigateTo({ url: "/q/index" });
  await back(phone);
  assert.equal(phone.overWords, "", "the page above asks nothing");
});

test("a call of the program is not asked about, and an empty question is refused", async () => {
  const phone = await at();
  await ask(phone, "现在离开吗？");
  await phone.wx.navigateBack();
  assert.equal(route(phone), "p/index");
  await assert.rejects(ask(phone, ""), (why) => why.errMsg.startsWith("enableAlertBeforeUnload:fail parameter error"));
});

test("it answers by callbacks alone", async () => {
  const phone = await at();
  assert.equal(phone.wx.enableAlertBeforeUnload({ message: "现在离开吗？" }), undefined);
  assert.equal(phone.wx.disableAlertBeforeUnload(), undefined);
  await soon();
});
