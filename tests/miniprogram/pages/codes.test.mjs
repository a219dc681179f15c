// What a channel's code leads to: an announcement with its picture and its page, or an activity.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { publication } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { refusal } from "./server.mjs";

const PAGE = "packages/programme/notice/index";
const ONE = "GET /codes/{code}";
const shows = (changes) => ({ script: { [ONE]: publication(changes) } });
const PICTURE = "/pictures/announcements/apc_1.jpg";
const onNet = (path) => `/phone/net/kepu.example.org${path}`;

scene("an announcement is read without a log-in, and its code is reported as a visit", `${PAGE}?scene=ab%2Fc`, shows({}), async (phone, server) => {
  await phone.says("第一段。 第二段。");
  assert.match((await asked(phone, server, ONE)).path, /\/codes\/ab%2Fc$/);
  assert.deepEqual((await asked(phone, server, "POST /visits")).body, { scene: "ab/c" });
});

scene("it leads to its page, and reports the announcement of that page as opened", `${PAGE}?scene=abc`, {
  script: { [ONE]: publication({ page: "packages/quiz/round/index?a=ann1" }), "POST /me/announcements/{ref}/opened": null },
}, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.follow);
  await on(phone, "packages/quiz/round/index");
  assert.match((await asked(phone, server, "POST /me/announcements/{ref}/opened")).path, /ann1/);
});

scene("an activity opens its own page instead, and back does not return to the code", `${PAGE}?scene=abc`, shows({ target: "activity", page: "packages/lectures/detail/index?id=a1" }), async (phone) => {
  await on(phone, "packages/lectures/detail/index");
  assert.deepEqual(plain(phone.page.options), { id: "a1" });
  await phone.says("讲座a1");
});

scene("the picture is said in words, seen whole by a tap, and leaves no hole when it does not come", `${PAGE}?scene=abc`, shows({ picture_url: PICTURE, page: null }), async (phone) => {
  const { t } = phone.page.data;
  await phone.until(() => phone.$("wx-image img"), "a picture");
  const image = phone.$("wx-image img");
  assert.deepEqual([image.getAttribute("src"), image.alt], [onNet(PICTURE), t.picture_of]);
  assert.ok(!phone.words.includes(t.follow));
  await phone.tap(phone.named(t.picture_of));
  assert.equal(phone.over(".wx-preview img").getAttribute("src"), onNet(PICTURE));
  image.dispatchEvent(new phone.window.Event("error"));
  await phone.until(() => phone.all("wx-image").length === 0, "a page without the picture");
});

scene("a withdrawn announcement says so", `${PAGE}?scene=abc`, shows({ notice: "这条通知已经撤回：时间写错了", text: "", page: null }), async (phone) => {
  await phone.says("这条通知已经撤回：时间写错了");
});

scene("a code that leads nowhere says so", `${PAGE}?scene=none`, { script: { [ONE]: refusal(404, "not_found", "没有找到。") } }, async (phone) => {
  await phone.says("没有找到。");
});
