// Other people's components, as they are published, in the same runtime.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { onePage, open, plain, soon } from "./kit.mjs";

const TDESIGN = path.resolve("node_modules/tdesign-miniprogram/miniprogram_dist");
const has = (name) => fs.existsSync(path.join(TDESIGN, name));

const app = (wxml, script, tags, place) => ({
  ...onePage(wxml, script),
  "p/index.json": { usingComponents: Object.fromEntries(tags.map((tag) => [place.prefix + tag, place.at(tag)])) },
});
const T = { prefix: "t-", at: (tag) => `tdesign-miniprogram/${tag}/${tag}` };
const VAN = { prefix: "van-", at: (tag) => `@vant/weapp/${tag}/index` };

/** Nothing failed and nothing was missing. */
const clean = (phone) => assert.deepEqual([plain(phone.errors), plain(phone.missing)], [[], []]);

test("TDesign: buttons, cells, tags, a switch, a dialog and tabs do what they say", async () => {
  assert.ok(has("button/button.js"));
  const phone = await open(app(`
    <t-button id="b" theme="primary" bind:tap="see">提交</t-button><t-cell-group><t-cell title="姓名" note="韦小妹" bind:click="see"/></t-cell-group>
    <t-tag>新</t-tag><t-switch value="{{on}}" bind:change="see"/><t-progress percentage="30"/>
    <t-tabs value="0" bind:change="see"><t-tab-panel label="日榜" value="0">甲</t-tab-panel><t-tab-panel label="周榜" value="1">乙</t-tab-panel></t-tabs>
    <t-dialog visible="{{open}}" title="确认" content="交卷吗" confirm-btn="交" cancel-btn="再看看" bind:confirm="see" bind:cancel="see"/>`,
  "data: { on: false, open: true }", ["button", "cell", "cell-group", "tag", "switch", "progress", "tabs", "tab-panel", "dialog"], T));
  await soon(50);
  for (const words of ["提交", "姓名", "韦小妹", "新", "日榜", "周榜", "确认", "交卷吗"]) assert.match(phone.words, new RegExp(words));
  const button = (words) => phone.all("wx-button").find((one) => one.textContent.trim() === words);
  await phone.tap(button("提交"));
  await phone.tap(button("交"));
  assert.deepEqual(phone.seen.map((event) => event.type), ["tap", "confirm"]);
  clean(phone);
});

test("TDesign: a radio group, checkboxes, an input, a stepper and a search give their values", async () => {
  const phone = await open(app(`
    <t-radio-group value="a" bind:change="see"><t-radio value="a" label="甲"/><t-radio value="b" label="乙"/></t-radio-group>
    <t-checkbox-group value="{{['x']}}" bind:change="see"><t-checkbox value="x" label="一"/><t-checkbox value="y" label="二"/></t-checkbox-group>
    <t-input label="单位" value="" bind:change="see"/><t-stepper value="{{1}}" bind:change="see"/><t-search placeholder="找" bind:change="see"/>`,
  "", ["radio", "radio-group", "checkbox", "checkbox-group", "input", "stepper", "search"], T));
  await soon(50);
  await phone.tap(phone.all("[role=radio]")[1]);
  await phone.tap(phone.all("[role=checkbox]")[1]);
  await phone.type('wx-input[aria-label="单位"]', "科协");
  const details = phone.seen.map((event) => plain(event.detail.value));
  assert.deepEqual(details, ["b", ["x", "y"], "科协"]);
  clean(phone);
});

test("Vant: a button opens a dialog once, fields, cells, tabs and a stepper work", async () => {
  const phone = await open(app(`
    <van-button id="b" type="primary" bind:click="see">开始</van-button><van-cell-group><van-cell title="分数" value="90"/></van-cell-group>
    <van-field label="姓名" value="" bind:change="see"/><van-tag>新</van-tag><van-switch checked="{{on}}" bind:change="see"/>
    <van-tabs active="0" bind:change="see"><van-tab title="省">甲</van-tab><van-tab title="市">乙</van-tab></van-tabs>
    <van-progress percentage="50"/><van-stepper value="1" bind:change="see"/><van-empty description="没有"/>
    <van-dialog use-slot title="确认" show="{{open}}" show-cancel-button bind:confirm="see"><view>交卷吗</view></van-dialog>`,
  "data: { on: false, open: true }", ["button", "cell", "cell-group", "field", "tag", "switch", "tab", "tabs", "progress", "stepper", "empty", "dialog"], VAN), {});
  await soon(80);
  for (const words of ["开始", "分数", "90", "姓名", "省", "市", "没有", "交卷吗"]) assert.match(phone.words, new RegExp(words));
  await phone.tap("#b wx-button");
  assert.deepEqual(phone.seen.map((event) => event.type), ["click"]);
  await phone.type("wx-van-field wx-input", "韦");
  await phone.tap(phone.all("wx-view").find((one) => /van-switch/.test(one.className)));
  assert.deepEqual(phone.seen.slice(1).map((event) => plain(event.detail)), ["韦", true]);
  assert.deepEqual(plain(phone.errors), []);
});
