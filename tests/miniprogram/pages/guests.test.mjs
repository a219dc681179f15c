// People at the gate without a ticket: found, admitted by hand, entered without a sign-up.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { NOW } from "./answers.mjs";
import { COUNTERS, HELD, fill, instant, usual } from "./gate.mjs";
import { on, scene } from "./scene.mjs";
import { OFFLINE, refusal } from "./server.mjs";

const PEOPLE = "packages/checkin/guests/index?id=a1";
const WALK_IN = "packages/checkin/walkin/index?id=a1";
const FIND = "GET /staff/sessions/{ref}/people";
const ADMIT = "POST /staff/sessions/{ref}/admissions";
const UNDO = "POST /staff/sessions/{ref}/admissions/undo";
const DEPART = "POST /staff/sessions/{ref}/departures";
const ENTER = "POST /staff/sessions/{ref}/walk-ins";
const guest = (changes = {}) => ({ id: "g1", name: "韦**", phone_tail: "8000", group: null, people: 2, result: "OK", state: "confirmed", came_at: null, inside: false, ...changes });
const INSIDE = guest({ came_at: instant(NOW), inside: true });
const admitted = { person: "g1", name: "韦**", people: 2, at: instant(NOW), counters: COUNTERS };
const typed = (phone, text) => phone.type(`wx-input[aria-label="${phone.page.data.t.hint}"]`, text);

scene("somebody without a ticket is found and admitted with a reason; leaves, and the admission is undone with one", PEOPLE, {
  keep: HELD,
  script: usual({ [FIND]: [guest(), INSIDE, guest({ came_at: instant(NOW) }), guest()].map((one) => ({ items: [one] })), [ADMIT]: admitted, [DEPART]: null, [UNDO]: null }),
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.search);
  await phone.says(t.type_first);
  await typed(phone, " 8000 ");
  await phone.tapWords(t.search);
  for (const words of ["韦**", `${fill(t.tail, { tail: "8000" })}，${fill(t.people, { count: 2 })}`, t.not_in]) await phone.says(words);
  assert.equal(server.to(FIND)[0].query.words, "8000");
  await phone.tapWords(t.admit);
  await phone.tapWords(t.yes_admit);
  await phone.says(t.reason_first);
  await phone.tapWords(t.no_battery);
  await phone.tapWords(t.yes_admit);
  await phone.says(t.admitted);
  await phone.says(fill(t.inside, { time: "6月17日 09:00" }));
  await phone.tapWords(t.depart);
  await phone.says(fill(t.outside, { time: "6月17日 09:00" }));
  await phone.tapWords(t.undo);
  await phone.type(`wx-input[aria-label="${t.reason}"]`, " 点错了 ");
  await phone.tapWords(t.yes_undo);
  await phone.says(t.undone);
  const bodies = [ADMIT, DEPART, UNDO].map((name) => server.to(name).map(({ body }) => plain(body)));
  assert.deepEqual(bodies, [[{ person: "g1", reason: t.no_battery }], [{ person: "g1" }], [{ person: "g1", reason: "点错了" }]]);
});

scene("who is not found, or cannot be looked for, is told with what to do", PEOPLE, { keep: HELD, script: usual({ [FIND]: [{ items: [] }, OFFLINE, OFFLINE, OFFLINE, { items: [
  guest({ result: "WAITLISTED", state: "waitlisted", phone_tail: null, group: "二年级" }), guest({ id: "g2", result: "CANCELLED", state: "withdrawn" }), guest({ id: "g3", result: "CANCELLED", state: "expired" }),
] }] }) }, async (phone) => {
  const { t } = phone.page.data;
  await typed(phone, "莫");
  await phone.tapWords(t.search);
  await phone.says(t.none);
  await phone.tapWords(t.search);
  await phone.comes(t.offline);
  await phone.tapWords(t.search);
  for (const words of [t.waiting, `${t.no_phone}，二年级`, t.cancelled]) await phone.says(words);
  assert.deepEqual(plain(phone.page.data.rows).map(({ admits }) => admits), [true, false, true], "who waits may come while there is room");
});

scene("a refusal at the gate is told in the server's words, and the reason stays", PEOPLE, { keep: HELD, script: usual({ [FIND]: { items: [guest()] }, [ADMIT]: refusal(409, "hall_full", "座位已满。") }) }, async (phone) => {
  const { t } = phone.page.data;
  await typed(phone, "8000");
  await phone.tapWords(t.search);
  await phone.tapWords(t.admit);
  await phone.tapWords(t.no_ticket);
  await phone.tapWords(t.yes_admit);
  await phone.says("座位已满。");
  assert.equal(phone.page.data.reason, t.no_ticket);
});

scene("people who came without a sign-up are entered, under one key however often it is sent", PEOPLE, { keep: HELD, script: usual({ [ENTER]: [refusal(503, "database_away", "服务正忙。"), admitted] }) }, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.walk_in);
  await on(phone, WALK_IN.split("?")[0]);
  const { t } = phone.page.data;
  await phone.tap(phone.named(t.less));
  await phone.tap(phone.named(t.more));
  await phone.tap(phone.named(t.more));
  await phone.says(fill(t.people, { count: 3 }));
  await phone.type(`wx-input[aria-label="${t.phone}"]`, "1380");
  await phone.tapWords(t.send);
  await phone.says(t.phone_wrong);
  await phone.type(`wx-input[aria-label="${t.phone}"]`, "13800138000");
  await phone.type(`wx-input[aria-label="${t.name}"]`, " 蒙大哥 ");
  await phone.tapWords(t.send);
  await phone.comes(fill(t.done, { count: 3 }));
  assert.deepEqual(server.to(ENTER).map(({ body }) => plain(body)), Array(2).fill({ party_size: 3, name: "蒙大哥", phone: "13800138000" }));
  assert.equal(new Set(server.to(ENTER).map(({ key }) => key)).size, 1);
  assert.deepEqual([phone.page.data.count, phone.page.data.name], [1, ""]);
});

scene("a full hall is told in the server's words", WALK_IN, { keep: HELD, script: usual({ [ENTER]: refusal(409, "hall_full", "座位已满。") }) }, async (phone) => {
  await phone.tapWords(phone.page.data.t.send);
  await phone.says("座位已满。");
});
