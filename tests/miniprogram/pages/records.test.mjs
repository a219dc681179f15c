// The record of one's papers: total, today, and each paper to open again with its review and its card.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CLOSED, CONTEST, ME, NEW, items, record } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE } from "./server.mjs";

const PAGE = "packages/quiz/records/index?id=k1";
const RECORDS = "GET /me/attempts";
const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const other = (changes = {}) => ({ ...CONTEST, id: "k2", title: "另一场竞赛", ...changes });

scene("the total that ranks stands beside today's figure, and each paper says its own", PAGE, {}, async (phone, server) => {
  const { t, c } = phone.page.data;
  for (const words of [fill(c.total, { score: 50 }), fill(c.place, { rank: 7 }), fill(c.behind, { score: 5 }), fill(t.today, { score: 20 })]) await phone.says(words);
  for (const words of ["2026年6月17日", fill(t.score, { score: 10 }), fill(t.full, { count: 30 }), fill(t.right, { right: 1, count: 3 }), "1 分 23 秒", t.expired]) await phone.says(words);
  assert.deepEqual(plain(server.to(RECORDS)[0].query), { contest: "k1", limit: "20" });
});

scene("after the end its board is the final one, and nothing is missing to the next place", PAGE, { script: { "GET /contests": items({ ...CONTEST, state: "closed" }) } }, async (phone) => {
  const { t, c } = phone.page.data;
  await phone.says(fill(c.total, { score: 50 }));
  await phone.says(t.final_board);
  assert.ok(!phone.words.includes(fill(c.behind, { score: 5 })), phone.words);
  await phone.tapWords(t.final_board);
  await on(phone, "packages/quiz/board/index");
});

scene("each paper opens again with its review, and has its card", PAGE, { script: { "GET /attempts/{ref}": CLOSED } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.open);
  await phone.tap(phone.named(`2026年6月16日 ${t.open}`));
  await on(phone, "packages/quiz/result/index");
  assert.equal(phone.page.options.id, "att_8");
  await phone.says("道理在这里。");
  await phone.wx.navigateBack();
  await phone.tap(phone.named(`2026年6月17日 ${t.card}`));
  await on(phone, "packages/quiz/share/index");
  assert.equal(phone.page.options.id, "att_9");
});

scene("older papers come when the end is reached, each once", PAGE, { script: { [RECORDS]: [{ items: [record("att_9")], next: "c1" }, items(record("att_1", { day: "2026-06-01" }))] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.more);
  await phone.page.onReachBottom();
  await phone.says("2026年6月1日");
  assert.equal(server.to(RECORDS)[1].query.after, "c1");
  assert.ok(!phone.words.includes(t.more));
  await phone.page.onReachBottom();
  assert.equal(server.to(RECORDS).length, 2);
});

scene("without a contest in the address the reader's own is shown, and each that was played can be chosen", "packages/quiz/records/index?id=", { script: { "GET /contests": items(other({ me: { ...ME, total: 80 } }), other({ id: "k3", title: "没答过的竞赛", me: NEW }), CONTEST) } }, async (phone, server) => {
  await phone.says("另一场竞赛");
  assert.ok(!phone.words.includes("没答过的竞赛"));
  await phone.tapWords("科学素质网络竞赛");
  await asked(phone, server, RECORDS, 2);
  assert.deepEqual(server.to(RECORDS).map(({ query }) => query.contest), ["k2", "k1"]);
});

scene("the latest contest with papers of one's own is shown before an open one without", "packages/quiz/records/index?id=", { script: { "GET /contests": items(other({ id: "k3", title: "没答过的竞赛", me: NEW }), { ...CONTEST, state: "closed" }) } }, async (phone, server) => {
  await phone.says("科学素质网络竞赛");
  assert.deepEqual(server.to(RECORDS).map(({ query }) => query.contest), ["k1"]);
});

scene("a contest that is not in the list any more is found by its name", PAGE, { script: { "GET /contests": items(other()) } }, async (phone, server) => {
  await phone.says("科学素质网络竞赛");
  assert.equal(server.to("GET /contests/{ref}").length, 1);
});

scene("without a paper of today that is said", PAGE, { script: { "GET /contests": items({ ...CONTEST, me: { ...ME, today_score: null } }) } }, async (phone) => {
  await phone.says(phone.page.data.t.today_none);
});

scene("the result and the page of mine lead to the record", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": CLOSED } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.records);
  await on(phone, "packages/quiz/records/index");
  await phone.wx.switchTab({ url: "/pages/mine/index" });
  await phone.tapWords(phone.page.data.t.records);
  await on(phone, "packages/quiz/records/index");
});

scene("a result is shown also where the total cannot be read", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": CLOSED, "GET /contests/{ref}": OFFLINE } }, async (phone) => {
  await phone.comes("道理在这里。");
  assert.equal(phone.page.data.total, "");
});

scene("a paper that the clock closed says so", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": { ...CLOSED, state: "expired" } } }, async (phone) => {
  await phone.says(phone.page.data.t.expired);
});
