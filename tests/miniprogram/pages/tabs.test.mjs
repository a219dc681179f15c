// The tab bar, which the mini-program draws itself: where it leads, what it says, what it looks like.

import assert from "node:assert/strict";
import fs from "node:fs";
import { plain } from "../../phone/kit.mjs";
import { PROFILE } from "./answers.mjs";
import { on, scene } from "./scene.mjs";

const APP = JSON.parse(fs.readFileSync(new URL("../../../miniprogram/app.json", import.meta.url), "utf8"));
const TABS = APP.tabBar.list;
const ELDER = { settings: { language: "zh", elder: true, group: null } };

const tabs = (phone) => phone.all("[role=tab]");
const shown = (phone) =>
  tabs(phone).map((tab) => [
    tab.getAttribute("aria-label"),
    tab.getAttribute("aria-selected"),
    tab.querySelector("img").getAttribute("src").replace(/^.*(assets\/)/, "$1"),
  ]);
const expected = (path) =>
  TABS.map((tab) => {
    const chosen = tab.pagePath === path;
    return [tab.text, String(chosen), chosen ? tab.selectedIconPath : tab.iconPath];
  });
const bar = (phone) => phone.$("[role=tablist]");

for (const { pagePath } of TABS)
  scene("its tab is the chosen one, and every tab leads to its page", pagePath, {}, async (phone) => {
    assert.deepEqual(shown(phone), expected(pagePath));
    for (const [index, tab] of TABS.entries()) {
      await phone.tap(tabs(phone)[index]);
      await on(phone, tab.pagePath);
      assert.deepEqual(shown(phone), expected(tab.pagePath));
    }
    assert.equal(phone.stack.length, 1);
  });

scene("the words are those of all pages", "pages/home/index", {}, async (phone) => {
  const { c } = phone.page.data;
  assert.deepEqual(tabs(phone).map((tab) => tab.textContent.trim()), [c.tab_home, c.tab_programme, c.tab_mine]);
});

scene("it is large for who reads large", "pages/home/index", { keep: ELDER }, async (phone) => {
  assert.match(bar(phone).className, /look-elder/);
});

scene("it grows with the switch, on each tab page", "pages/home/index", {}, async (phone, server) => {
  assert.doesNotMatch(bar(phone).className, /look-elder/);
  await phone.tap(tabs(phone)[2]);
  await on(phone, "pages/mine/index");
  phone.wx.navigateTo({ url: "/packages/mine/settings/index" });
  await on(phone, "packages/mine/settings/index");
  await phone.tap("[role=switch]");
  server.will({ "GET /me": { ...PROFILE, elder_mode: true } });
  phone.wx.navigateBack();
  await on(phone, "pages/mine/index");
  assert.match(bar(phone).className, /look-elder/);
  await phone.tap(tabs(phone)[0]);
  await on(phone, "pages/home/index");
  assert.match(bar(phone).className, /look-elder/);
});

scene("an inner page has none", "packages/quiz/rules/index?id=k1", {}, async (phone) => {
  assert.equal(bar(phone), null);
  assert.equal(phone.page.getTabBar(), null);
});

scene("a single page has none, and opens all the same", "pages/home/index", { start: { mode: "singlePage", scene: 1154 } }, async (phone) => {
  await phone.says("科学素质网络竞赛");
  assert.deepEqual([plain(phone.page.getTabBar()), bar(phone)], [null, null]);
});
