// The paper: answers are saved as they come, the clock is the server's, it is handed in once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { plain, soon } from "../../phone/kit.mjs";
import { CLOSED, NOW, paper, question } from "./answers.mjs";
import { asked, at, on, scene, sound } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

const PAGE = "packages/quiz/answer/index?id=att_1";
const SAVE = "PUT /attempts/{ref}/answers";
const SUBMIT = "POST /attempts/{ref}/submission";
const READ = "GET /attempts/{ref}";
const NEXT = "POST /attempts/{ref}/next";
const RESULT_PAGE = "packages/quiz/result/index";
const CLOSED_ERROR = refusal(409, "attempt_closed", "这份题已经交卷或已到时间，不能再改了。");

const chosen = (phone) => plain(phone.page.data.shown.options).filter((one) => one.chosen).map((one) => one.key);
const pick = (phone, key) => phone.tap(phone.named(`选项${key}`));
const words = (phone) => phone.page.data.t;

scene("saves each choice, and adds where several are right", PAGE, {}, async (phone, server) => {
  await phone.says("题目q1");
  await pick(phone, "B");
  assert.deepEqual((await asked(phone, server, SAVE)).body, { answers: { q1: ["B"] } });
  await phone.says(words(phone).saved);
  await pick(phone, "A");
  assert.deepEqual((await asked(phone, server, SAVE, 2)).body, { answers: { q1: ["A"] } });
  await phone.tapWords(words(phone).next);
  await phone.says("题目q2");
  await pick(phone, "C");
  await pick(phone, "A");
  await phone.until(() => server.to(SAVE).at(-1).body.answers.q2?.length === 2, "both choices");
  assert.deepEqual(server.to(SAVE).at(-1).body, { answers: { q2: ["A", "C"] } });
  assert.deepEqual(chosen(phone), ["A", "C"]);
});

scene("one save after the other; what was chosen meanwhile goes with the next", PAGE, {}, async (phone, server) => {
  await phone.says("题目q1");
  const slow = held(null);
  server.will({ [SAVE]: [slow.answer, null] });
  await pick(phone, "A");
  await pick(phone, "B");
  await phone.tapWords(words(phone).next);
  await pick(phone, "C");
  assert.equal(server.to(SAVE).length, 1);
  slow.release();
  await asked(phone, server, SAVE, 2);
  await soon(20);
  assert.deepEqual(server.to(SAVE).map(({ body }) => body.answers), [{ q1: ["A"] }, { q1: ["B"], q2: ["C"] }]);
});

scene("what the network did not carry is kept on the phone and sent again without a tap", PAGE, {}, async (phone, server) => {
  await phone.says("题目q1");
  server.will({ [SAVE]: OFFLINE });
  await pick(phone, "B");
  await phone.says(words(phone).kept_here);
  assert.deepEqual(plain(phone.wx.getStorageSync("paper-att_1")), { q1: ["B"] });
  await phone.pass(6_000);
  await asked(phone, server, SAVE, 2);
  server.will({ [SAVE]: null });
  await phone.comes(words(phone).saved);
  assert.deepEqual(server.to(SAVE).at(-1).body, { answers: { q1: ["B"] } });
  assert.equal(phone.wx.getStorageSync("paper-att_1"), "", "nothing is left behind");
  const count = server.to(SAVE).length;
  await phone.pass(30_000);
  assert.equal(server.to(SAVE).length, count, "nothing is sent twice");
});

scene("opened again it goes on at the first open question, with what never got through", PAGE, {
  script: { [READ]: paper(300_000, { answers: { q1: ["A"] } }) }, keep: { "paper-att_1": { q2: ["B"], gone: ["A"] } },
}, async (phone, server) => {
  await phone.says("题目q3");
  assert.deepEqual((await asked(phone, server, SAVE)).body, { answers: { q2: ["B"] } });
  assert.equal(phone.page.data.face, "5:00");
  await phone.tapWords(words(phone).sheet);
  await phone.tap(phone.named(`1 ${words(phone).done}`));
  await phone.says("题目q1");
  assert.deepEqual(chosen(phone), ["A"]);
  await phone.tapWords(words(phone).next);
  assert.deepEqual(chosen(phone), ["B"]);
});

scene("after the background it reads the time from the server again", PAGE, {}, async (phone, server) => {
  await phone.says("10:00");
  phone.shell.program.hide();
  server.will({ [READ]: paper(120_000) });
  phone.shell.program.show({ ...phone.shell.start, path: "" });
  await phone.says("2:00");
  await phone.pass(1_000);
  await phone.says("1:59");
});

scene("a paper that was handed in elsewhere shows its result when it is opened", PAGE, { script: { [READ]: CLOSED }, keep: { "paper-att_1": { q1: ["B"] } } }, async (phone, server) => {
  await on(phone, RESULT_PAGE);
  await phone.says("道理在这里。");
  assert.equal(server.to(SUBMIT).length + server.to(SAVE).length, 0);
  assert.equal(phone.wx.getStorageSync("paper-att_1"), "");
});

scene("a paper that the server closes while one answers shows its result", PAGE, {}, async (phone, server) => {
  await phone.says("题目q1");
  server.will({ [SAVE]: CLOSED_ERROR, [READ]: CLOSED });
  await pick(phone, "A");
  await on(phone, RESULT_PAGE);
  await phone.says("道理在这里。");
});

scene("while the paper is read from a hanging network, that is said after five seconds", PAGE, {}, async (phone, server) => {
  const slow = held(paper());
  await phone.says("题目q1");
  phone.shell.program.hide();
  server.will({ [READ]: slow.answer });
  phone.shell.program.show({ ...phone.shell.start, path: "" });
  await phone.pass(5_500);
  await phone.says(phone.page.data.c.slow);
  slow.release();
});

scene("the sheet of numbers shows what is answered and leads to each question", PAGE, {}, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("题目q1");
  await phone.says(t.done_of.replace("{done}", "0").replace("{count}", "3"));
  await pick(phone, "A");
  await phone.says(t.done_of.replace("{done}", "1").replace("{count}", "3"));
  assert.equal(phone.page.data.shown.percent, 33);
  await phone.tapWords(t.sheet);
  const labels = phone.all("[aria-label]").map((one) => one.getAttribute("aria-label")).filter((label) => /^\d/.test(label));
  assert.deepEqual(labels, [`1 ${t.done} ${t.now}`, `2 ${t.open}`, `3 ${t.open}`]);
  await phone.tap(phone.named(`3 ${t.open}`));
  await phone.says("题目q3");
  assert.equal(phone.page.data.sheet, false);
});

// A timer for each question, as Nanjing's rules have it: the server opens one after the other.

const until = (ms) => ({ deadline: new Date(NOW + ms).toISOString() });
const timed = (left, ...opened) => paper(left, { timer: "item", questions: opened });
const FIRST = question("q1", "single", until(30_000));
const SECOND = question("q2", "single", until(60_000));

scene("each question has its own time, and the next is opened by the server", PAGE, { script: { [READ]: timed(90_000, FIRST), [NEXT]: { status: 201, body: SECOND } } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.place.replace("{number}", "1").replace("{count}", "3"));
  assert.equal(phone.page.data.face, "0:30");
  assert.ok(!phone.words.includes(t.sheet) && !phone.words.includes(t.finish));
  await pick(phone, "A");
  await phone.tapWords(t.next);
  await phone.says("题目q2");
  const order = server.asked.map(({ name }) => name);
  assert.ok(order.indexOf(SAVE) < order.indexOf(NEXT), "the answer first");
  assert.ok(!phone.words.includes(t.previous));
  await phone.says("1:00");
});

scene("without an answer the server opens nothing, and says why", PAGE, { script: { [READ]: timed(90_000, FIRST), [NEXT]: refusal(409, "answer_first", "请先回答当前这道题。") } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.next);
  await phone.says("请先回答当前这道题。");
  await phone.says("题目q1");
});

scene("two taps open one question; a lost reply is asked for again under the same key", PAGE, { script: { [READ]: timed(90_000, FIRST), [NEXT]: OFFLINE } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.says("题目q1");
  const next = phone.named(t.next);
  await Promise.all([phone.tap(next), phone.tap(next)]);
  await phone.comes(c.offline);
  server.will({ [NEXT]: { status: 201, body: SECOND } });
  await phone.tap(phone.named(t.next));
  await phone.says("题目q2");
  assert.equal(new Set(server.to(NEXT).map(({ key }) => key)).size, 1);
});

scene("what another phone has opened is gone on with", PAGE, { script: { [READ]: [timed(90_000, FIRST), timed(90_000, FIRST, SECOND)], [NEXT]: refusal(409, "answer_first", "请先回答当前这道题。") } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.next);
  await phone.says("题目q2");
  assert.ok(!phone.overWords.includes("请先"));
});

scene("a question whose time is over takes no answer, and the next one can be opened", PAGE, { script: { [READ]: timed(90_000, FIRST), [NEXT]: { status: 201, body: SECOND } } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("0:30");
  await phone.pass(30_500);
  await phone.says(t.time_up);
  await pick(phone, "A");
  assert.deepEqual(chosen(phone), []);
  assert.equal(server.to(SAVE).length, 0);
  await phone.tapWords(t.next);
  await phone.says("题目q2");
  assert.ok(!phone.words.includes(t.time_up));
  assert.equal(server.to(SUBMIT).length, 0);
});

scene("opened again it stands at the newest question; the last one hands in", PAGE, { script: { [READ]: [timed(90_000, FIRST, SECOND, question("q3", "single", until(80_000))), CLOSED] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("题目q3");
  assert.ok(!phone.words.includes(t.next));
  await phone.tapWords(t.finish);
  await phone.press(t.finish);
  await on(phone, RESULT_PAGE);
  assert.equal(server.to(SUBMIT).length, 1);
});

scene("a paper closed elsewhere while the next question is asked for shows its result", PAGE, { script: { [READ]: [timed(90_000, FIRST), CLOSED], [NEXT]: CLOSED_ERROR } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.next);
  await on(phone, RESULT_PAGE);
});

test("the clock of the scenes is the phone's", async () => {
  const { phone, server } = await at(PAGE);
  await phone.says("10:00");
  await phone.pass(61_000);
  await phone.says("8:59");
  await sound(phone, server);
});
