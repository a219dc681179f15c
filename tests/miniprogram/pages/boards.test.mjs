// The boards of a contest: their places and stretches, the own line, the end of the contest, groups, sharing.

import assert from "node:assert/strict";
import { CONTEST, FAR, PROFILE, STRANGER, board, line } from "./answers.mjs";
import { on, scene } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const BOARD = "GET /contests/{ref}/leaderboard";

const scopes = (server) => server.to(BOARD).map(({ query }) => `${query.scope} ${query.period}`);

scene("every place and every stretch of time has its board", "packages/quiz/board/index?id=k1", {}, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.says(fill(t.mine, { rank: 2 }));
  await phone.says(fill(c.behind, { score: 1 }));
  for (const place of ["南宁市", "青秀区", "南宁市科学技术协会", t.youth, t.region]) {
    await phone.tap(phone.all("[role=button]").find((one) => one.textContent.trim() === place));
    await phone.until(() => phone.page.data.state === "content", place);
  }
  for (const period of ["week", "day", "total"]) {
    await phone.tapWords(t[period]);
    await phone.says("选手1");
  }
  assert.deepEqual(scopes(server), [
    "region total", "city:450100 total", "county:450103 total", "unit:u1 total", "audience:youth total", "region total",
    "region this_week", "region today", "region total",
  ]);
  assert.ok(!phone.words.includes(t.final) && !phone.words.includes(t.around));
});

const CLOSED_CONTEST = { "GET /contests/{ref}": { ...CONTEST, state: "closed" } };

scene("published final ranks say their version and date, and never that it is about to end", "packages/quiz/board/index?id=k1", { script: { [BOARD]: board({ state: "final", version: 2 }), ...CLOSED_CONTEST } }, async (phone) => {
  const { t, c } = phone.page.data;
  for (const words of [t.final, "第2版", "公布", t.frozen_at.slice(0, 2)]) await phone.says(words);
  assert.ok(!/快要|还差/.test(phone.words), phone.words);
  assert.ok(!phone.words.includes(c.first));
});

scene("a frozen board says of when it is, and that later papers count", "packages/quiz/board/index?id=k1", { script: { [BOARD]: board({ state: "frozen" }) } }, async (phone) => {
  const { t } = phone.page.data;
  for (const words of [t.frozen, "照样计分"]) await phone.says(words);
});

scene("after the end and before the publication the board says that ranks are being checked", "packages/quiz/board/index?id=k1", { script: { [BOARD]: board({ state: "closed" }), ...CLOSED_CONTEST } }, async (phone) => {
  const { t } = phone.page.data;
  for (const words of [t.closed, t.closed_note]) await phone.says(words);
});

scene("while the last papers are handed in the board says that it is almost final", "packages/quiz/board/index?id=k1", { script: CLOSED_CONTEST }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.almost_final_note);
  assert.equal(phone.page.data.final, t.almost_final);
});

scene("a final board that nobody came on invites nobody", "packages/quiz/board/index?id=k1", { script: { [BOARD]: board({ frozen: true, items: [], me: null, total: 0 }), ...CLOSED_CONTEST } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.nobody_came);
  assert.ok(!phone.words.includes(t.answer));
});

scene("whoever is far behind sees the own neighbours", "packages/quiz/board/index?id=k1", { script: { [BOARD]: board({ me: FAR, items: [line(1), line(2)] }) } }, async (phone) => {
  const { t } = phone.page.data;
  for (const words of [t.around, "选手87", "选手88", "选手89", t.me, "12.5"]) await phone.says(words);
});

scene("a slow answer for another stretch is not shown under this one", "packages/quiz/board/index?id=k1", {}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("选手1");
  const slow = held(board({ items: [line(1, { nickname: "上周的人" })], me: null }));
  server.will({ [BOARD]: [slow.answer, board({ items: [line(1, { nickname: "今天的人" })], me: null })] });
  await phone.tapWords(t.week);
  await phone.tapWords(t.day);
  await phone.says("今天的人");
  slow.release();
  await phone.pass(100);
  assert.ok(phone.words.includes("今天的人") && !phone.words.includes("上周的人"));
});

scene("a board that cannot be read is not shown as another one", "packages/quiz/board/index?id=k1", {}, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.says("选手1");
  server.will({ [BOARD]: OFFLINE });
  await phone.tapWords(t.day);
  await phone.comes(c.offline);
  assert.ok(!phone.words.includes("选手1"));
  server.will({ [BOARD]: board() });
  await phone.tapWords(c.retry);
  await phone.says("选手1");
  assert.equal(scopes(server).at(-1), "region today");
});

scene("without a city there is the region's board and a way to choose one", "packages/quiz/board/index?id=k1", { script: { "GET /me": { ...PROFILE, city: null, county: null, unit: null, audience: null } } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.choose_city);
  await on(phone, "packages/mine/profile/index");
});

const GROUP = { answers: { groupEnter: { encryptedData: "sealed", iv: "iv" } }, start: { scene: 1044, shareTicket: "ticket" } };

scene("from a group its board opens first", "packages/quiz/board/index?id=k1", GROUP, async (phone, server) => {
  await phone.says("选手1");
  assert.deepEqual(server.to("POST /groups").map(({ body }) => body), [{ code: "code-1", encrypted_data: "sealed", iv: "iv" }]);
  assert.deepEqual(scopes(server), ["group:g1 total"]);
  await phone.tapWords(phone.page.data.t.region);
  await phone.says("选手1");
  assert.equal(scopes(server).at(-1), "region total");
});

scene("whoever is not of the group sees the region's board", "packages/quiz/board/index?id=k1", { ...GROUP, script: { [BOARD]: [refusal(404, "not_found"), board()] } }, async (phone, server) => {
  await phone.says("选手1");
  assert.deepEqual(scopes(server), ["group:g1 total", "region total"]);
});

scene("a group's late refusal changes nothing about the place chosen meanwhile", "packages/quiz/board/index?id=k1", GROUP, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("选手1");
  const slow = held(refusal(404, "not_found"));
  server.will({ [BOARD]: [slow.answer, board()] });
  await phone.tapWords(t.week);
  await phone.tap(phone.all("[role=button]").find((one) => one.textContent.trim() === "南宁市"));
  await phone.until(() => phone.page.data.state === "content", () => "the city's board");
  slow.release();
  await phone.pass(100);
  assert.equal(phone.page.data.place, "city");
});

scene("while nobody can be logged in the region's board is read", "packages/quiz/board/index?id=k1", { script: { "POST /login": refusal(503, "wechat_away") } }, async (phone, server) => {
  await phone.comes("选手1");
  assert.ok(scopes(server).every((asked) => asked === "region total"));
});

scene("a group's board waits for consent, the others do not", "packages/quiz/board/index?id=k1", { ...GROUP, script: { "GET /me": STRANGER } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.group_consent);
  await phone.says("选手1");
  assert.equal(server.to("POST /groups").length, 0);
  await phone.tapWords(t.to_consent);
  await on(phone, "packages/mine/consent/index");
});

scene("in the single page of a friends' circle the board needs nobody", "packages/quiz/board/index?id=k1", { start: { scene: 1154, mode: "singlePage" } }, async (phone, server) => {
  await phone.says("选手1");
  assert.equal(server.to("POST /login").length, 0);
  assert.equal(phone.window.document.getElementById("wx-title").textContent, phone.page.data.t.title);
  await phone.tapWords(phone.page.data.t.choose_city);
  assert.equal(phone.page.route, "packages/quiz/board/index");
});

scene("a board is passed on to people and to the timeline", "packages/quiz/board/index?id=k1", {}, async (phone) => {
  await phone.says("选手1");
  const { card, timeline, withShareTicket } = await phone.shell.program.share("menu");
  assert.deepEqual([card.path, timeline.path, withShareTicket], ["/packages/quiz/board/index?id=k1", "/packages/quiz/board/index?id=k1", true]);
});
