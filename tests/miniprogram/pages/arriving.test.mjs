// A citizen's own check-in by the venue's code, and its ways in.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { NOW, lecture, place, ticket } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

const ARRIVE = "packages/checkin/arrive/index";
const SEND = "POST /checkins";
const VENUE = `V1${"AB".repeat(12)}`;
const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const instant = (ms) => new Date(ms).toISOString();
const camera = (...texts) => ({ scan: () => (texts.length > 0 ? { result: texts.shift(), scanType: "QR_CODE", path: "" } : null) });
const arrived = (changes = {}) => ({ result: "ok", at: instant(NOW), activity: { id: "a1", title: "讲座a1" }, people: 1, ...changes });

scene("a scan of the venue's code checks in, with the whole party, and a repetition says so", ARRIVE, { answers: camera(VENUE, VENUE), script: { [SEND]: [arrived({ people: 3 }), arrived({ result: "already", at: instant(NOW - 60_000), people: 3 })] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.how);
  await phone.tapWords(t.scan);
  for (const words of [t.ok, "讲座a1", `6月17日 09:00，${fill(t.people, { count: 3 })}`]) await phone.says(words);
  assert.deepEqual(plain(phone.shell.asked.filter(([kind]) => kind === "scan")), [["scan", { onlyFromCamera: true }]]);
  assert.deepEqual(plain(server.to(SEND)[0].body), { code: VENUE });
  await phone.tapWords(t.activity);
  await on(phone, "packages/lectures/detail/index");
  await phone.wx.navigateBack();
  await phone.page.arrive(VENUE);
  await phone.says(t.already);
});

const REFUSALS = ["code_expired", "not_signed_up", "waitlisted", "too_early", "too_late"];

scene("each refusal is told in the server's words, and the next scan is one tap", ARRIVE, { answers: camera(...REFUSALS.map(() => VENUE), VENUE), script: { [SEND]: [...REFUSALS.map((name) => refusal(409, name, `说：${name}`)), arrived()] } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.scan);
  for (const name of REFUSALS) {
    await phone.says(`说：${name}`);
    await phone.says(t.not_done);
    await phone.tapWords(t.again);
  }
  await phone.says(t.ok);
});

scene("without network the ticket is offered, which needs none", ARRIVE, { answers: camera(VENUE), script: { [SEND]: OFFLINE } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.scan);
  await phone.says(t.offline);
  await phone.tapWords(t.ticket);
  await on(phone, "packages/lectures/ticket/index");
});

scene("another code is not sent; a scanner that is left changes nothing", ARRIVE, { answers: camera("https://x.example.cn/") }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.scan);
  await phone.says(t.wrong_code);
  await phone.tapWords(t.again);
  await phone.says(t.wrong_code);
  assert.equal(server.to(SEND).length, 0);
});

scene("while the server is asked the page says so, and a second tap asks nothing", ARRIVE, { answers: camera(VENUE, VENUE), script: {} }, async (phone, server) => {
  const { t } = phone.page.data;
  const slow = held(arrived());
  server.will({ [SEND]: slow.answer });
  await phone.tapWords(t.scan);
  await phone.says(t.checking);
  await phone.tap(phone.named(t.scan));
  slow.release();
  await phone.says(t.ok);
  assert.equal(server.to(SEND).length, 1);
});

scene("a missing consent is asked for, and the check-in goes on", ARRIVE, { answers: camera(VENUE), script: { [SEND]: [refusal(409, "consent_required", ""), arrived()] } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.scan);
  await on(phone, "packages/mine/consent/index");
  await phone.tapWords(phone.page.data.t.over_14);
  await phone.tapWords(phone.page.data.t.agree);
  await on(phone, ARRIVE);
  await phone.says(phone.page.data.t.ok);
});

// Ways in

const TODAY = { starts_at: instant(NOW + 3_600_000), ends_at: instant(NOW + 10_800_000) };

scene("home leads to the check-in", "pages/home/index", {}, async (phone) => {
  await phone.comes("科学素质网络竞赛");
  await phone.tap(phone.named(phone.page.data.t.arrive));
  await on(phone, ARRIVE);
});

scene("a ticket of today leads to the check-in, one of another day or on the waitlist does not", "packages/lectures/ticket/index", { script: { "GET /me/tickets": { absences: null, past: [], items: [ticket("a1", TODAY), ticket("a2"), ticket("a3", { ...TODAY, place: place("waitlisted", { position: 1 }) })] } } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("讲座a3");
  assert.deepEqual(plain(phone.page.data.rows).map(({ arrives }) => arrives), [true, false, false]);
  await phone.tap(phone.named(`${t.arrive} 讲座a1`));
  await on(phone, ARRIVE);
});

scene("an activity of today leads to the check-in", "packages/lectures/detail/index?id=a1", { script: { "GET /activities/{ref}": lecture("a1", { ...TODAY, me: place("confirmed") }) } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.arrive);
  await on(phone, ARRIVE);
});

for (const [what, changes] of [["another day", {}], ["a postponed activity", { ...TODAY, phase: "postponed" }], ["a cancelled activity", { ...TODAY, phase: "cancelled" }], ["an activity that is over", { starts_at: instant(NOW - 7_200_000), ends_at: instant(NOW), phase: "ended" }]])
  scene(`there is no check-in for ${what}`, "packages/lectures/detail/index?id=a1", { script: { "GET /activities/{ref}": lecture("a1", { ...changes, me: place("confirmed") }) } }, async (phone) => {
    await phone.says("溶洞是怎样形成的。");
    assert.ok(!phone.words.includes(phone.page.data.t.arrive));
  });

const HOME = "pages/home/index";
const today = (changes = {}) => ticket("a1", { starts_at: new Date(NOW + 6 * 3600_000).toISOString(), ends_at: new Date(NOW + 8 * 3600_000).toISOString(), ...changes });
const places = (...found) => ({ script: { "GET /me/tickets": { absences: null, past: [], items: found } } });

scene("on the day of one's activity home offers the check-in before everything else, once", HOME, places(ticket("a2"), today()), async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.today_lecture);
  for (const words of ["讲座a1", "广西图书馆报告厅", t.arrive_note]) assert.ok(phone.words.includes(words), words);
  assert.ok(phone.words.indexOf(t.arrive) < phone.words.indexOf(t.open_now));
  assert.equal(phone.words.split(t.arrive_note).length - 1, 1);
  await phone.tap(phone.named(`${t.ticket} 讲座a1`));
  await on(phone, "packages/lectures/ticket/index");
  phone.wx.navigateBack();
  await on(phone, HOME);
  await phone.tap(phone.named(`${t.arrive} 讲座a1`));
  await on(phone, "packages/checkin/arrive/index");
});

for (const [what, one] of [
  ["tomorrow", today({ starts_at: new Date(NOW + 16 * 3600_000).toISOString(), ends_at: new Date(NOW + 18 * 3600_000).toISOString() })],
  ["without a seat", today({ place: place("waitlisted", { position: 1 }) })],
  ["with everybody in the hall", today({ place: place("confirmed", { checked_in: true }) })],
  ["that was called off", today({ phase: "cancelled" })],
])
  scene(`an activity ${what} does not move the check-in up`, HOME, places(one), async (phone, server) => {
    const { t } = phone.page.data;
    await asked(phone, server, "GET /me/tickets");
    await phone.says(t.arrive_note);
    assert.ok(!phone.words.includes(t.today_lecture));
    assert.ok(phone.words.indexOf(t.arrive_note) > phone.words.indexOf(t.open_now));
  });

scene("home is complete when the places cannot be read", HOME, { script: { "GET /me/tickets": refusal(503, "database_away", "服务正忙。") } }, async (phone, server) => {
  await asked(phone, server, "GET /me/tickets");
  await phone.comes(phone.page.data.t.arrive_note);
  assert.ok(!phone.overWords.includes("服务正忙"));
});
