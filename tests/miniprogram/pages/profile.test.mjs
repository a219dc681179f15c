// What is the reader's own: the profile and unit, what is held, and erasing it.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { PROFILE, items, unit } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const CHANGE = "PUT /me";
const changes = (server) => server.to(CHANGE).map(({ body }) => body);

// Profile and unit

scene("name, place, group of the public and the name on boards are kept one by one", "packages/mine/profile/index", {}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("青秀区");
  await phone.tapWords(t.city);
  await phone.tapWords("柳州市");
  await asked(phone, server, CHANGE);
  await phone.tapWords(t.farmer);
  await asked(phone, server, CHANGE, 2);
  await phone.tapWords(t.farmer);
  await asked(phone, server, CHANGE, 3);
  await phone.tapWords(t.public_rank);
  await asked(phone, server, CHANGE, 4);
  assert.deepEqual(changes(server), [{ city: "450200", county: null }, { audience: "farmer" }, { audience: null }, { public_rank: true }]);
});

scene("a county is one of the own city", "packages/mine/profile/index", {}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("南宁市");
  await phone.tapWords(t.county);
  await phone.until(() => phone.page.data.sheet === "county", "the sheet");
  assert.deepEqual(plain(phone.page.data.choices).map(({ label }) => label), [t.no_place, "青秀区"]);
  await phone.tap(phone.all("*").findLast((one) => one.textContent.trim() === "青秀区"));
  await asked(phone, server, CHANGE);
  assert.deepEqual(changes(server), [{ county: "450103" }]);
});

scene("without a city there is no county to choose", "packages/mine/profile/index", { script: { "GET /me": { ...PROFILE, city: null, county: null } } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.county);
  await phone.says(phone.page.data.t.city_first);
});

/** WeChat's own check of a name that was typed. */
const REVIEWED = { answers: { nicknameReview: { pass: true } } };
const named = async (phone, name) => {
  const box = `wx-input[aria-label="${phone.page.data.t.nickname}"]`;
  await phone.type(box, name);
  await phone.leave(box);
};
const shownName = (phone) => phone.$(`wx-input[aria-label="${phone.page.data.t.nickname}"] input`).value;

scene("a nickname is saved when its field is left, like everything else", "packages/mine/profile/index", { script: { [CHANGE]: { ...PROFILE, pending_nickname: "壮乡科普", nickname_state: "checking" } } , ...REVIEWED}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("青秀区");
  await named(phone, " 壮乡科普 ");
  await phone.says(t.nickname_checking);
  await named(phone, "壮乡科普");
  assert.deepEqual(changes(server), [{ nickname: "壮乡科普" }]);
});

scene("a refused nickname is said, and the one in force comes back; an empty one changes nothing", "packages/mine/profile/index", { script: { [CHANGE]: refusal(409, "nickname_refused", "这个昵称不能使用。") } , ...REVIEWED}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("青秀区");
  await named(phone, "   ");
  await phone.says(t.name_first);
  assert.equal(shownName(phone), "韦小妹");
  await named(phone, "坏名字");
  await phone.says("这个昵称不能使用。");
  await phone.until(() => shownName(phone) === "韦小妹", "the name in force");
  assert.deepEqual(changes(server), [{ nickname: "坏名字" }]);
});

scene("a tap that comes while a name is being saved is not lost", "packages/mine/profile/index", REVIEWED, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("青秀区");
  const slow = held(PROFILE);
  server.will({ [CHANGE]: [slow.answer, PROFILE] });
  await named(phone, "壮乡科普");
  await phone.tapWords(t.farmer);
  slow.release();
  await asked(phone, server, CHANGE, 2);
  assert.deepEqual(changes(server), [{ nickname: "壮乡科普" }, { audience: "farmer" }]);
});

scene("city, county and phone can be taken back", "packages/mine/profile/index", { script: { "GET /me": { ...PROFILE, phone_masked: "138****0000" } } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.county);
  await phone.tapWords(t.no_place);
  await asked(phone, server, CHANGE);
  await phone.tapWords(t.city);
  await phone.tapWords(t.no_place);
  await asked(phone, server, CHANGE, 2);
  server.will({ "GET /me": { ...PROFILE, phone_masked: "138****0000" }, [CHANGE]: PROFILE });
  phone.page.onShow();
  await phone.tapWords(t.phone_back);
  await asked(phone, server, CHANGE, 3);
  await phone.says(t.phone_none);
  assert.deepEqual(changes(server), [{ county: null }, { city: null, county: null }, { phone: null }]);
});

scene("a child's name is never shown whole, and the page says why", "packages/mine/profile/index", { script: { "GET /me": { ...PROFILE, under_14: true } } }, async (phone) => {
  await phone.says(phone.page.data.t.public_rank_child);
  assert.equal(phone.$("[role=switch]"), null);
});

scene("a picture and a phone number come from WeChat's own sheets", "packages/mine/profile/index", {
  script: { "POST /me/avatar": { status: 202 }, "POST /me/phone": { phone_masked: "138****0000" } },
  answers: { phoneNumber: { code: "phone-code" }, avatar: { file: null } },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.phone_none);
  await phone.tapWords(t.give_phone);
  assert.deepEqual((await asked(phone, server, "POST /me/phone")).body, { code: "phone-code" });
  await phone.says("138****0000");
  await phone.tap(phone.$(`wx-button[aria-label="${t.avatar}"]`) ?? phone.named(t.avatar));
  assert.equal(server.to("POST /me/avatar").length, 0, "a closed sheet sends nothing");
});

scene("a phone number that is not given changes nothing", "packages/mine/profile/index", { answers: { phoneNumber: { code: null } } }, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.give_phone);
  await phone.says(phone.page.data.t.phone_none);
  assert.equal(server.to("POST /me/phone").length, 0);
});

scene("units of the own city come first, others by their name", "packages/mine/unit/index", {
  script: { "GET /units": ({ query }) => items(...(query.q ? [unit("u9", "柳州市科技馆")] : [unit("u1", "南宁市科学技术协会")])) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("南宁市科学技术协会");
  await phone.type("wx-input", " 柳州 ");
  await phone.tap(phone.named(t.search));
  await phone.says("柳州市科技馆");
  assert.deepEqual(server.to("GET /units").map(({ query: { region, q } }) => [region, q]), [["450100", undefined], [undefined, "柳州"]]);
  const one = phone.named("柳州市科技馆");
  await Promise.all([phone.tap(one), phone.tap(one)]);
  await on(phone, "pages/home/index");
  assert.deepEqual(changes(server), [{ unit: "u9" }]);
});

scene("a search without a hit leads on: to the list, to whom one can ask, or out", "packages/mine/unit/index", {
  script: { "GET /units": ({ query }) => items(...(query.q ? [] : [unit("u1", "南宁市科学技术协会")])) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("南宁市科学技术协会");
  await phone.type("wx-input", "火星科协");
  await phone.tap(phone.named(t.search));
  await phone.says(t.nothing);
  await phone.says(fill(t.ask, { phone: "0771-0000001" }));
  await phone.tapWords(t.near);
  await phone.says("南宁市科学技术协会");
  assert.deepEqual(server.to("GET /units").map(({ query }) => query.q), [undefined, "火星科协", undefined]);
});

scene("a unit that is missing is asked for once, and the answers are shown", "packages/mine/unit/index", {
  script: {
    "GET /units": ({ query }) => items(...(query.q ? [] : [unit("u1", "南宁市科学技术协会")])),
    "GET /me/unit-requests": { items: [
      { id: "unq0", name: "高二三班", place: "南宁市", state: "refused", unit_name: null, sentence: "班级不单独登记。" },
      { id: "unq2", name: "一中", place: "南宁市", state: "pointed", unit_name: "第一中学", sentence: null },
    ] },
  },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("班级不单独登记。");
  await phone.says(fill(t.request_pointed, { unit: "第一中学" }));
  await phone.type("wx-input", "火星科协");
  await phone.tap(phone.named(t.search));
  const button = phone.named(fill(t.request, { name: "火星科协" }));
  await Promise.all([phone.tap(button), phone.tap(button)]);
  await phone.says(t.request_waiting);
  const asked = server.to("POST /me/unit-requests").map(({ body }) => body);
  assert.deepEqual(asked, [{ name: "火星科协", city: "450100", county: "450103" }]);
});

scene("one may belong to no unit", "packages/mine/unit/index", {}, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.leave);
  await on(phone, "pages/home/index");
  assert.deepEqual(changes(server), [{ unit: null }]);
});

// The own data

const HELD = {
  person: { nickname: "韦小妹", city: "450100", county: null, unit: null, audience: "youth", public_rank: false, elder_mode: true, under_14: null },
  identities: [{ app: "mini_program", openid: "o1", made_at: PROFILE.created_at }],
  sessions: [{ made_at: PROFILE.created_at, expires_at: "2026-07-15T00:00:00Z", revoked_at: null }],
  phone: "13800000000", inbox: [], recordings: [{ a: 1 }, { a: 2 }],
};
const exported = (held) => ({ "GET /me/export": { exported_at: PROFILE.created_at, held } });

scene("what is held is said in words, and the raw record can be taken away", "packages/mine/data/index", { script: exported(HELD), answers: { shareFile: { taken: true } } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.see);
  await phone.says("韦小妹");
  const lines = plain(phone.page.data.lines).map(({ name, say }) => [name, say]);
  assert.deepEqual(lines.slice(0, 4), [[t.nickname, "韦小妹"], [t.city, "南宁市"], [t.audience, t.youth], [t.elder_mode, t.yes]]);
  assert.deepEqual(lines.slice(4).map(([name, say]) => [name, say.replace(/\d+月.*/, "…")]), [
    [t.kept_identities, fill(t.records_until, { count: 1, time: "…" })], [t.kept_sessions, fill(t.records_until, { count: 1, time: "…" })],
    [t.kept_phone, "13800000000"], ["recordings", fill(t.records, { count: 2 })],
  ]);
  await phone.tapWords(t.save);
  await phone.until(() => phone.shell.asked.some(([kind]) => kind === "shareFile"), "the file");
  const [, { file, name }] = phone.shell.asked.find(([kind]) => kind === "shareFile");
  assert.deepEqual([name, file.size], [t.file_name, new TextEncoder().encode(JSON.stringify(HELD, null, 2)).length]);
  await phone.tapWords(t.copy);
  await phone.says(t.copied);
  assert.equal(plain(await phone.wx.getClipboardData()).data, JSON.stringify(HELD, null, 2));
});

scene("a file that nobody took is said", "packages/mine/data/index", { script: exported(HELD), answers: { shareFile: { taken: false } } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.see);
  await phone.tapWords(t.save);
  await phone.says(t.not_saved);
});

scene("what is held by the thousand pages is counted, and copied whole", "packages/mine/data/index", { script: exported({ attempts: Array(60_000).fill("答案") }) }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.see);
  await phone.tapWords(t.copy);
  await phone.says(t.copied);
  assert.ok(phone.words.length < 5_000);
  assert.ok(plain(await phone.wx.getClipboardData()).data.length > 300_000);
});

scene("an export that does not come is said", "packages/mine/data/index", { script: { "GET /me/export": OFFLINE } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.see);
  await phone.comes(phone.page.data.c.offline);
});

scene("erasing is asked twice, done once, and forgets everything on this phone", "packages/mine/data/index", { keep: { settings: { elder: true } } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  const erase = phone.all("wx-button").at(-1);
  // What cannot be undone is red, on the page and in the last question.
  assert.match(erase.className, /t-button--danger/);
  await phone.tap(erase);
  await phone.says(t.go_on);
  await phone.press(c.cancel);
  await phone.tap(erase);
  await phone.press(t.go_on);
  await phone.says(t.erase_final);
  const yes = [...phone.window.document.querySelectorAll("#wx-overlay .wx-dialog button")].at(-1);
  assert.equal(yes.style.color, "rgb(179, 38, 30)");
  await phone.press(c.cancel);
  assert.equal(server.to("DELETE /me").length, 0);
  await Promise.all([phone.tap(erase), phone.tap(erase)]);
  assert.equal(phone.window.document.querySelectorAll("#wx-overlay .wx-dialog").length, 1);
  await phone.press(t.go_on);
  await phone.press(t.erase_yes);
  await on(phone, "pages/home/index");
  await phone.says(t.erased);
  assert.equal(server.to("DELETE /me").length, 1);
  assert.equal(phone.wx.getStorageSync("settings"), "");
  assert.equal(phone.stack.length, 1);
});

scene("an erasure without network is not said to be done", "packages/mine/data/index", { script: { "DELETE /me": OFFLINE }, keep: { settings: { elder: true } } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.tap(phone.all("wx-button").at(-1));
  await phone.press(t.go_on);
  await phone.press(t.erase_yes);
  await phone.comes(c.offline);
  assert.equal(phone.page.route, "packages/mine/data/index");
  assert.deepEqual(plain(phone.wx.getStorageSync("settings")), { elder: true });
  assert.equal(new Set(server.to("DELETE /me").map(({ key }) => key)).size, 1);
});
