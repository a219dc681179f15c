// Handing in: by the reader or by the clock, once; where it is, while the network is slow or away; and leaving.

import assert from "node:assert/strict";
import { soon } from "../../phone/kit.mjs";
import { CLOSED, RESULT, paper } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

const PAGE = "packages/quiz/answer/index?id=att_1";
const ROUND = "packages/quiz/round/index?id=k1";
const SAVE = "PUT /attempts/{ref}/answers";
const SUBMIT = "POST /attempts/{ref}/submission";
const READ = "GET /attempts/{ref}";
const RESULT_PAGE = "packages/quiz/result/index";

const pick = (phone, key) => phone.tap(phone.named(`选项${key}`));
const words = (phone) => phone.page.data.t;
/** Opens the sheet of numbers and hands in from there. */
const early = async (phone) => {
  await phone.tapWords(words(phone).sheet);
  await phone.tapWords(words(phone).finish);
};
const backKey = (phone) => phone.tap(phone.window.document.getElementById("wx-back"));
/** The paper, come to from the contest's page. */
const begun = async (phone) => {
  await phone.tapWords(phone.page.data.t.start);
  await phone.says("题目q1");
};

scene("at the end of its time it is handed in once, with what was not saved", PAGE, { script: { [READ]: [paper(3_000), CLOSED] } }, async (phone, server) => {
  await phone.says("0:03");
  server.will({ [SAVE]: OFFLINE });
  await pick(phone, "A");
  await phone.says(words(phone).kept_here);
  await phone.pass(2_500);
  assert.equal(server.to(SUBMIT).length, 0);
  await phone.pass(1_000);
  await on(phone, RESULT_PAGE);
  await phone.pass(20_000);
  assert.deepEqual(server.to(SUBMIT).map(({ body }) => body), [{ answers: { q1: ["A"] } }]);
  assert.equal(phone.wx.getStorageSync("paper-att_1"), "");
});

scene("a clock that is moved on is noticed by the open paper itself: the time left, and the end", PAGE, { script: { [READ]: [paper(540_000), CLOSED] } }, async (phone, server) => {
  await phone.says("9:00");
  const asked = server.asked.length;
  phone.shell.clockAhead = 300_000;
  await phone.pass(500);
  await phone.says("4:00");
  assert.equal(server.asked.length, asked, "nothing was asked");
  phone.shell.clockAhead = 600_000;
  await phone.pass(500);
  await on(phone, RESULT_PAGE);
  assert.equal(server.to(SUBMIT).length, 1);
});

scene("a clock that is moved on without a network hands in when the network is back", PAGE, { script: { [READ]: [paper(60_000), CLOSED], [SUBMIT]: OFFLINE } }, async (phone, server) => {
  await phone.says("1:00");
  phone.shell.clockAhead = 300_000;
  await phone.comes(words(phone).hand_over_wait);
  server.will({ [SUBMIT]: RESULT });
  await phone.pass(6_000);
  await on(phone, RESULT_PAGE);
});

scene("an end without network is tried again, calmly and under the same key", PAGE, { script: { [READ]: [paper(1_000), CLOSED], [SUBMIT]: OFFLINE } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("0:01");
  await phone.comes(t.hand_over_wait);
  assert.ok(phone.words.includes(t.hand_over));
  const tries = server.to(SUBMIT).length;
  await phone.pass(1_000);
  assert.equal(server.to(SUBMIT).length, tries, "not at every tick");
  server.will({ [SUBMIT]: RESULT });
  await phone.pass(6_000);
  await on(phone, RESULT_PAGE);
  assert.equal(new Set(server.to(SUBMIT).map(({ key }) => key)).size, 1);
});

scene("two taps hand it in once", PAGE, {}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("题目q1");
  const slow = held(RESULT);
  server.will({ [SUBMIT]: slow.answer, [READ]: CLOSED });
  await phone.tapWords(t.sheet);
  const finish = phone.named(t.finish);
  await Promise.all([phone.tap(finish), phone.tap(finish)]);
  await phone.says(t.some_missing.replace("{count}", "3"));
  assert.equal(phone.window.document.querySelectorAll("#wx-overlay .wx-dialog").length, 1);
  await phone.press(t.finish);
  await asked(phone, server, SUBMIT);
  await phone.tap(finish);
  slow.release();
  await on(phone, RESULT_PAGE);
  assert.equal(server.to(SUBMIT).length, 1);
});

scene("going on instead of handing in changes nothing", PAGE, { script: { [READ]: paper(600_000, { answers: { q1: ["A"], q2: ["B"], q3: ["A"] } }) } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.finish);
  await phone.says(t.all_answered);
  await phone.press(t.go_on);
  assert.equal(server.to(SUBMIT).length, 0);
  assert.equal(phone.page.route, "packages/quiz/answer/index");
});

scene("what is handed in stays so: without network it goes again by itself, the same under one key", PAGE, { script: { [SUBMIT]: OFFLINE } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("题目q1");
  server.will({ [SAVE]: OFFLINE });
  await pick(phone, "A");
  await early(phone);
  await phone.press(t.finish);
  await phone.says(t.hand_now);
  assert.ok(!phone.words.includes("题目q1"), "nothing is answered any more");
  await phone.comes(t.hand_not_yet);
  assert.ok(!phone.words.includes(t.hand_now));
  const tries = server.to(SUBMIT).length;
  await phone.pass(1_000);
  assert.equal(server.to(SUBMIT).length, tries, "not at every tick");
  server.will({ [SUBMIT]: RESULT, [READ]: CLOSED });
  await phone.pass(6_000);
  await on(phone, RESULT_PAGE);
  assert.deepEqual(new Set(server.to(SUBMIT).map(({ key, body }) => `${key} ${JSON.stringify(body)}`)).size, 1);
  assert.deepEqual(server.to(SUBMIT)[0].body, { answers: { q1: ["A"] } });
});

scene("back from the background a paper that is being handed in is not in the hands again", PAGE, { script: { [SUBMIT]: OFFLINE } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("题目q1");
  await early(phone);
  await phone.press(t.finish);
  await phone.comes(t.hand_not_yet);
  phone.shell.program.hide();
  server.will({ [SUBMIT]: RESULT });
  phone.shell.program.show({ ...phone.shell.start, path: "" });
  await soon(20);
  assert.ok(phone.words.includes(t.hand_not_yet), phone.words);
  server.will({ [READ]: CLOSED });
  await phone.pass(6_000);
  await on(phone, RESULT_PAGE);
});

scene("what the server refuses for good is said, and the paper is in the hands again", PAGE, { script: { [SUBMIT]: refusal(409, "idempotency_key_reused", "请再交一次。") } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("题目q1");
  await early(phone);
  await phone.press(t.finish);
  await phone.says("请再交一次。");
  await phone.says("题目q1");
  await phone.pass(20_000);
  assert.equal(server.to(SUBMIT).length, 1);
});

scene("a hanging network is said after five seconds: at a save, at the handing in, and when the time is over", PAGE, { script: { [READ]: [paper(60_000), CLOSED] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("题目q1");
  const [save, submit] = [held(null), held(RESULT)];
  server.will({ [SAVE]: save.answer, [SUBMIT]: submit.answer });
  await pick(phone, "A");
  await phone.pass(4_500);
  assert.ok(!phone.words.includes(t.slow), phone.words);
  await phone.pass(1_000);
  await phone.says(t.slow);
  save.release();
  await phone.says(t.saved);
  await early(phone);
  await phone.press(t.finish);
  await phone.pass(4_500);
  assert.ok(phone.words.includes(t.hand_now), phone.words);
  await phone.pass(1_000);
  await phone.says(t.hand_not_yet);
  await phone.comes(t.hand_over, 5_000);
  submit.release();
  await on(phone, RESULT_PAGE);
  await phone.says(t.hand_over);
  // A request that got no answer in fifteen seconds is given up and repeated under its own name.
  assert.equal(new Set(server.to(SUBMIT).map(({ key }) => key)).size, 1);
});

scene("leaving asks at the back key and at our own; staying stays, going keeps the paper", ROUND, {}, async (phone, server) => {
  await begun(phone);
  const { t } = phone.page.data;
  await backKey(phone);
  await phone.says(t.leave_ask);
  await phone.press("取消");
  assert.equal(phone.page.route, "packages/quiz/answer/index");
  await phone.tapWords(t.sheet);
  await phone.tapWords(t.leave);
  await phone.says(t.leave_ask);
  await phone.press(t.stay);
  assert.equal(phone.page.route, "packages/quiz/answer/index");
  await phone.tap(phone.named(t.leave));
  await phone.press(t.go);
  await on(phone, "packages/quiz/round/index");
  assert.equal(server.to(SUBMIT).length, 0);
});

scene("a result is left without a question", ROUND, {}, async (phone, server) => {
  await begun(phone);
  const { t } = phone.page.data;
  server.will({ [READ]: CLOSED });
  await early(phone);
  await phone.press(t.finish);
  await on(phone, RESULT_PAGE);
  await backKey(phone);
  await on(phone, "packages/quiz/round/index");
  assert.equal(phone.overWords, "");
});

scene("left before its end it hands nothing in behind the reader's back", "packages/quiz/round/index?id=k1", {}, async (phone, server) => {
  const slow = held(paper(1_000));
  server.will({ [READ]: slow.answer });
  await phone.tapWords(phone.page.data.t.start);
  await asked(phone, server, READ);
  await phone.wx.navigateBack();
  slow.release();
  await soon(20);
  await phone.pass(5_000);
  assert.equal(phone.page.route, "packages/quiz/round/index");
  assert.equal(server.to(SUBMIT).length, 0);
});

scene("a result that comes when the reader has gone back does not pull the reader away", "packages/quiz/round/index?id=k1", {}, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.start);
  await phone.says("题目q1");
  const { t } = phone.page.data;
  const slow = held(RESULT);
  server.will({ [SUBMIT]: slow.answer });
  await early(phone);
  await phone.press(t.finish);
  await asked(phone, server, SUBMIT);
  await phone.wx.navigateBack();
  slow.release();
  await soon(20);
  await phone.pass(5_000);
  assert.equal(phone.page.route, "packages/quiz/round/index");
});

scene("a question left open over the end changes nothing any more", PAGE, { script: { [READ]: [paper(2_000), CLOSED] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await early(phone);
  await phone.pass(3_000);
  await on(phone, RESULT_PAGE);
  await phone.says("道理在这里。");
  await phone.press(t.finish);
  await soon(20);
  assert.deepEqual([server.to(SUBMIT).length, server.to(READ).length], [1, 2]);
});
