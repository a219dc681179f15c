// Every page that reads: while it reads, when the server failed, when nothing came through, when
// there is nothing to show, when all is there. The words are those of the page's own catalogue.

import assert from "node:assert/strict";
import { CONTEST, ME, STRANGER, USUAL, board, inbox, items } from "./answers.mjs";
import { PAGES } from "./pages.mjs";
import { asked, scene } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

const SAID = "服务器说的一句话。";

for (const [address, endpoint, shown, setting = {}] of PAGES) {
  const whole = { ...USUAL, ...setting.script }[endpoint];
  const first = held(refusal(500, "internal", SAID));
  const script = { ...setting.script, [endpoint]: [first.answer, OFFLINE] };
  scene("reads, fails, is offline, and shows all when it is tried again", address, { script }, async (phone, server) => {
    const { c, t } = phone.page.data;
    await asked(phone, server, endpoint);
    assert.ok(phone.words.includes(c.loading), phone.words);
    first.release();
    await phone.says(SAID);
    await phone.tapWords(c.retry);
    await phone.comes(c.offline);
    assert.ok(!phone.words.includes(SAID));
    server.will({ [endpoint]: whole });
    await phone.tapWords(c.retry);
    for (const words of typeof shown === "function" ? shown({ t }) : shown) await phone.says(words);
    for (const words of [c.loading, c.retry, c.offline]) assert.ok(!phone.words.includes(words), phone.words);
  });
}

for (const [address, endpoint, , setting = {}] of PAGES) {
  const whole = { ...USUAL, ...setting.script }[endpoint];
  const slow = held(null);
  const late = (request) => slow.answer().then(() => (typeof whole === "function" ? whole(request) : whole));
  scene("says after five seconds that the network hangs, and shows all when it comes", address, { script: { ...setting.script, [endpoint]: late } }, async (phone, server) => {
    const { c } = phone.page.data;
    await asked(phone, server, endpoint);
    await phone.pass(4_000);
    assert.ok(!phone.words.includes(c.slow), phone.words);
    await phone.pass(1_500);
    await phone.says(c.slow);
    slow.release();
    await phone.until(() => phone.page.data.state === "content", "the content");
    assert.ok(!phone.words.includes(c.slow), phone.words);
  });
}

/** page, what the server has not got, the words for it */
const EMPTY = [
  ["pages/home/index", { "GET /contests": items(), "GET /programmes": items() }, (t) => [t.nothing_open, t.nothing_on]],
  ["pages/home/index", { "GET /contests": items({ ...CONTEST, state: "closed" }) }, (t) => [t.nothing_open, t.final_board]],
  ["packages/quiz/records/index?id=k1", { "GET /me/attempts": items() }, (t) => [t.none, t.answer]],
  ["packages/quiz/records/index?id=", { "GET /contests": items() }, (t) => [t.none]],
  ["pages/programme/index", { "GET /programmes": items() }, (t) => [t.none]],
  ["pages/mine/index", { "GET /me": STRANGER, "GET /contests": items() }, (t) => [t.nameless, t.no_score]],
  ["packages/quiz/round/index?id=", { "GET /contests": items() }, (t) => [t.none]],
  ["packages/quiz/board/index?id=", { "GET /contests": items() }, (t) => [t.none]],
  ["packages/quiz/board/index?id=k1", { "GET /contests/{ref}/leaderboard": board({ items: [], me: null, total: 0 }) }, (t) => [t.nobody]],
  ["packages/quiz/practice/index", { "POST /practice": { id: "p1", questions: [] } }, (t) => [t.none]],
  ["packages/quiz/practice/index?from=mistakes", { "POST /practice": { id: "p1", questions: [] } }, (t) => [t.none_wrong]],
  ["packages/quiz/mistakes/index", { "GET /me/mistakes": items() }, (t) => [t.none]],
  ["packages/lectures/list/index", { "GET /activities": items() }, (t) => [t.none, t.clear]],
  ["packages/lectures/ticket/index", { "GET /me/tickets": { absences: null, past: [], items: [] } }, (t) => [t.none, t.find]],
  ["packages/checkin/feedback/index?id=a1", { "GET /activities/{ref}/feedback": { open: false, given: null } }, (t) => [t.not_open, t.back]],
  ["packages/mine/inbox/index", { "GET /me/inbox": inbox() }, (t) => [t.none]],
  ["packages/mine/unit/index", { "GET /units": items() }, (t) => [t.nothing]],
  ["packages/mine/subscriptions/index", { "GET /me/subscriptions": { remaining: {} } }, (t) => [t.left_none, t.quiet_none]],
];

for (const [address, script, words] of EMPTY)
  scene(`says when there is nothing: ${Object.keys(script).join(", ")}`, address, { script }, async (phone) => {
    await phone.says(phone.page.data.c ? words(phone.page.data.t)[0] : "");
    for (const each of words(phone.page.data.t)) await phone.says(each);
    assert.ok(!phone.words.includes(phone.page.data.c.retry));
  });

const PRIVATE = [
  ["packages/quiz/practice/index", ["题目q7"]],
  ["packages/quiz/share/index?id=att_1", null],
  ["packages/mine/profile/index", ["青秀区"]],
  ["packages/lectures/signup/index?id=a1", ["讲座a1"]],
  ["packages/mine/unit/index", ["南宁市科技馆"]],
  ["packages/mine/subscriptions/index", ["答题提醒"]],
];

for (const [address, shown] of PRIVATE)
  scene("asks for consent first, and goes on when it was given", address, { script: { "GET /me": STRANGER } }, async (phone, server) => {
    const { c, t } = phone.page.data;
    await phone.says(c.consent_note);
    await phone.tapWords(c.consent);
    const consent = phone.page.data.t;
    await phone.tapWords(consent.over_14);
    server.will({ "GET /me": USUAL["GET /me"] });
    await phone.tapWords(consent.agree);
    for (const words of shown ?? [t.no_reward]) await phone.says(words);
  });

scene("a refused refresh leaves what is there", "pages/home/index", {}, async (phone, server) => {
  await phone.says("科学素质网络竞赛");
  server.will({ "GET /contests": OFFLINE });
  const { c } = phone.page.data;
  void phone.page.onPullDownRefresh();
  await phone.comes(c.offline);
  assert.ok(phone.words.includes("科学素质网络竞赛"));
  assert.ok(!phone.words.includes(c.retry));
});

scene("a server that is away for a moment is asked again, unseen", "pages/home/index", { script: { "GET /contests": [refusal(503, "database_away"), items({ ...CONTEST, me: ME })] } }, async (phone, server) => {
  await phone.comes("科学素质网络竞赛");
  assert.equal(server.to("GET /contests").length, 2);
});
