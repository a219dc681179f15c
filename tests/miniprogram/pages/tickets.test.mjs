// One's own tickets: one code at a time on a bright screen, readable without network, and the calendar.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CODE, NOW, place, ticket } from "./answers.mjs";
import { on, scene } from "./scene.mjs";
import { OFFLINE, refusal } from "./server.mjs";

const TICKETS = "packages/lectures/ticket/index";
const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);

const picture = (phone) => phone.all("wx-image img").map((one) => one.getAttribute("src"));

scene("one code at a time is shown, on a bright screen that is given back on leaving", TICKETS, { before: (window) => (window.__screen = { brightness: 0.3, kept: false }) }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("讲座a2");
  await phone.says("K1AA AAAA ABMN OPQR STUV WXYZ 23");
  await phone.until(() => phone.window.__screen.brightness === 1, "the bright screen");
  assert.equal(phone.window.__screen.kept, true);
  assert.equal(picture(phone).length, 1);
  assert.match(picture(phone)[0], /^data:image\/svg\+xml;base64,PHN2Zy/);
  await phone.tap(phone.named(`${t.show} 讲座a2`));
  assert.deepEqual([phone.page.data.shown, picture(phone).length], ["a2", 1]);
  await phone.tap(phone.named(`${t.hide} 讲座a2`));
  assert.equal(picture(phone).length, 0);
  await phone.until(() => phone.window.__screen.brightness === 0.3, "the former screen");
  assert.equal(phone.window.__screen.kept, false);
  await phone.tap(phone.named(`${t.show} 讲座a1`));
  await phone.until(() => phone.window.__screen.brightness === 1, "the bright screen");
  await phone.tap(phone.named(`${t.open} 讲座a1`));
  await on(phone, "packages/lectures/detail/index");
  await phone.until(() => phone.window.__screen.brightness === 0.3, "the former screen");
});

scene("a ticket tells until when its seat is kept, and no longer when its people have come", TICKETS, {
  script: { "GET /me/tickets": { absences: null, past: [], items: [ticket("a1"), ticket("a2", { place: place("confirmed", { checked_in: true }) })] } },
}, async (phone) => {
  await phone.says(fill(phone.page.data.t.late, { time: "6月20日 15:15" }));
  assert.deepEqual(plain(phone.page.data.rows.map(({ late }) => late !== "")), [true, false]);
});

scene("without network the copy on the phone is shown with its hour", TICKETS, { script: { "GET /me/tickets": OFFLINE, "POST /login": OFFLINE }, keep: { tickets: { at: NOW - 3_600_000, items: [ticket("a1")] } } }, async (phone) => {
  const { t, c } = phone.page.data;
  await phone.says(fill(t.kept, { time: "6月17日 08:00" }));
  await phone.comes(c.offline);
  await phone.says("讲座a1");
  assert.equal(picture(phone).length, 1);
});

scene("what was read is kept, and replaced by what the server says next", TICKETS, { keep: { tickets: { at: NOW - 3_600_000, items: [ticket("old")] } } }, async (phone) => {
  await phone.says("讲座a1");
  assert.ok(!phone.words.includes("讲座old"));
  assert.deepEqual(plain(phone.wx.getStorageSync("tickets")).items.map(({ activity }) => activity), ["a1", "a2"]);
});

scene("who waits, or whose activity is called off, has no code", TICKETS, {
  script: { "GET /me/tickets": { absences: null, past: [], items: [ticket("w", { place: place("waitlisted", { position: 5 }) }), ticket("o", { place: place("offered", { ticket: { code: CODE }, offer_expires_at: "2026-06-17T09:30:00+08:00" }) }), ticket("x", { phase: "cancelled" })] } },
}, async (phone) => {
  const { c, t } = phone.page.data;
  for (const words of [fill(c.act_waitlisted, { count: 5 }), c.act_offered, c.act_cancelled]) await phone.says(words);
  assert.equal(picture(phone).length, 0);
  assert.ok(!phone.words.includes(t.show));
});

const FEED = "POST /me/calendar";

scene("the address of one's own calendar is copied, and withdrawn after a question", TICKETS, { script: { [FEED]: { path: "/api/v1/me/calendar.ics?key=k.1" }, "DELETE /me/calendar": null } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.calendar_note);
  await phone.tapWords(t.calendar_copy);
  await phone.says(t.calendar_copied);
  assert.equal((await phone.promised("getClipboardData")).data, "https://kepu.example.org/api/v1/me/calendar.ics?key=k.1");
  await phone.tapWords(t.calendar_end);
  await phone.says(t.calendar_end_ask);
  await phone.press(t.calendar_end_no);
  assert.equal(server.to("DELETE /me/calendar").length, 0);
  await phone.tapWords(t.calendar_end);
  await phone.press(t.calendar_end_yes);
  await phone.says(t.calendar_ended);
  assert.equal(server.to("DELETE /me/calendar").length, 1);
});

scene("without consent the calendar leads to the rules first", TICKETS, { script: { [FEED]: refusal(409, "consent_required", "") } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.calendar_copy);
  await on(phone, "packages/mine/consent/index");
});

const ABSENT = { count: 1, most: 3, days: 90, pause_days: 7, paused_until: null, sentence: "最近90天缺席1次。", rule: "90天内缺席3次。" };

scene("one's absences are told beside the tickets, and nothing is said without any", TICKETS, { script: { "GET /me/tickets": [{ absences: ABSENT, past: [], items: [ticket("a1")] }, { absences: { ...ABSENT, count: 0 }, past: [], items: [ticket("a1")] }] } }, async (phone) => {
  await phone.says("最近90天缺席1次。");
  await phone.page.onPullDownRefresh();
  await phone.says("讲座a1");
  assert.ok(!phone.words.includes("缺席"));
});
