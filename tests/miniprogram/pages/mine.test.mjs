// What is the reader's own: consent, profile, unit, reminders, inbox, data, settings; and the programmes.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CAMPAIGN, PROFILE, STRANGER, items, letter, programme, unit } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE, refusal } from "./server.mjs";

const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const CONSENT = "POST /me/consents";
const CHANGE = "PUT /me";
const changes = (server) => server.to(CHANGE).map(({ body }) => body);

// Programmes

scene("what is on now comes first, and the kinds are apart", "pages/programme/index", {
  script: { "GET /programmes": ({ query }) => items(...["past", "upcoming", null, "now"].map((state) => programme(String(state), { kind: query.kind, state }))) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("活动now");
  assert.deepEqual(plain(phone.page.data.lines).map(({ slug, say }) => [slug, say]), [["now", t.now], ["upcoming", t.later], ["null", ""], ["past", t.past]]);
  await phone.tapWords(t.kind_joint);
  await asked(phone, server, "GET /programmes", 2);
  assert.deepEqual(server.to("GET /programmes").map(({ query }) => query.kind), ["theme", "joint"]);
  await phone.tapWords("活动upcoming");
  await on(phone, "packages/programme/detail/index");
  assert.deepEqual(plain(phone.page.options), { slug: "upcoming" });
});

scene("a contest's programme leads to the paper, and can be passed on", "packages/programme/detail/index?slug=contest", { script: { "GET /programmes/{slug}": programme("contest", { form: "quiz", note: "一句说明" }) } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("一句说明");
  const { card } = await phone.shell.program.share("menu");
  assert.deepEqual([card.title, card.path], ["活动contest", "/packages/programme/detail/index?slug=contest"]);
  await phone.tapWords(t.answer);
  await on(phone, "packages/quiz/round/index");
});

scene("an edition shows its own days, and the notice's words as those of their year", "packages/programme/detail/index?slug=festival", { script: { "GET /programmes/{slug}": programme("festival", { date_text: "2027年2月—3月", notice_year: 2020, notice_text: "2020年9月 第八届科学节" }) } }, async (phone) => {
  await phone.says("2027年2月—3月");
  await phone.says("2020 年通知原文");
  await phone.says("2020年9月 第八届科学节");
});

scene("an edition names the aim of the notice with the notice's year", "pages/home/index", { script: { "GET /campaign": { ...CAMPAIGN, shift_weeks: 313, notice_year: 2020, notice_text: "2020年4月 行动" } } }, async (phone) => {
  await phone.says("2020 年通知提出的目标");
  await phone.says("2020 年通知原文：2020年4月 行动");
});

scene("a programme that is gone says so", "packages/programme/detail/index?slug=old", { script: { "GET /programmes/{slug}": refusal(404, "not_found", "没有找到。") } }, async (phone) => {
  await phone.says("没有找到。");
});

// Mine

const DOORS = {
  edit: "packages/mine/profile/index", boards: "packages/quiz/board/index", mistakes: "packages/quiz/mistakes/index", inbox: "packages/mine/inbox/index",
  subscriptions: "packages/mine/subscriptions/index", settings: "packages/mine/settings/index", privacy: "packages/mine/privacy/index", own: "packages/mine/data/index",
};

scene("every door of the own page opens", "pages/mine/index", {}, async (phone) => {
  const { t, c } = phone.page.data;
  await phone.says(fill(t.best, { score: 20 }));
  assert.ok(!phone.words.includes(c.consent_note));
  for (const [name, page] of Object.entries(DOORS)) {
    await phone.tapWords(t[name]);
    await on(phone, page);
    await phone.wx.navigateBack();
  }
});

scene("whoever has not agreed is asked, and may go on without", "pages/mine/index", { script: { "GET /me": STRANGER } }, async (phone, server) => {
  const { c, t } = phone.page.data;
  await phone.says(t.nameless);
  await phone.tapWords(c.consent);
  await on(phone, "packages/mine/consent/index");
  await phone.tapWords(phone.page.data.t.later);
  await on(phone, "pages/mine/index");
  assert.equal(server.to(CONSENT).length, 0);
});

// Consent

scene("the age is asked, nothing is chosen beforehand, two taps agree once", "packages/mine/consent/index", { script: { "GET /me": STRANGER } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.agree);
  await phone.says(t.age_first);
  assert.equal(server.to(CONSENT).length, 0);
  await phone.tapWords(t.over_14);
  await phone.until(() => phone.page.data.age === "over", "the age");
  const agree = phone.named(t.agree);
  await Promise.all([phone.tap(agree), phone.tap(agree)]);
  await on(phone, "pages/home/index");
  await phone.says(t.thanks);
  assert.deepEqual(server.to(CONSENT).map(({ body }) => body), [{ policy_version: "2026-1", under_14: false, guardian: false }]);
});

scene("under fourteen a guardian is named and agrees", "packages/mine/consent/index", { script: { [CONSENT]: [OFFLINE, OFFLINE, OFFLINE, { status: 201, body: { policy_version: "2026-1", guardian: true, under_14: true, given_at: PROFILE.created_at } }] } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.tapWords(t.under_14);
  await phone.says(t.guardian_note);
  await phone.tapWords(t.agree_guardian);
  await phone.says(t.guardian_first);
  await phone.type(`wx-input[aria-label="${t.guardian_name}"]`, " 韦建国 ");
  await phone.type(`wx-input[aria-label="${t.guardian_relation}"]`, "父亲");
  await phone.tap(phone.named(t.agree_guardian));
  await phone.comes(c.offline);
  await phone.tap(phone.named(t.agree_guardian));
  await on(phone, "pages/home/index");
  assert.deepEqual(server.to(CONSENT).at(-1).body, { policy_version: "2026-1", under_14: true, guardian: true, guardian_name: "韦建国", guardian_relation: "父亲" });
});

scene("a refused consent is said, and can be corrected", "packages/mine/consent/index", { script: { [CONSENT]: refusal(409, "policy_version_outdated", "规则刚刚更新，请再看一看。") } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.over_14);
  await phone.tapWords(t.agree);
  await phone.says("规则刚刚更新，请再看一看。");
  assert.equal(phone.page.route, "packages/mine/consent/index");
});

scene("the code one came by is reported after consent, not before", "packages/mine/consent/index?scene=s%253D7", { script: { "GET /me": [STRANGER, PROFILE] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.over_14);
  assert.equal(server.to("POST /visits").length, 0);
  await phone.tapWords(t.agree);
  assert.deepEqual((await asked(phone, server, "POST /visits")).body, { scene: "s=7" });
});

scene("a garbled code stops nobody", "pages/home/index", { start: { query: { scene: "%E0%A4%A" } } }, async (phone, server) => {
  await phone.says("八桂科普大行动");
  assert.equal(server.to("POST /visits").length, 0);
});

scene("the rules of privacy lead to the own data and to WeChat's contract", "packages/mine/privacy/index", { answers: { privacyContract: {} } }, async (phone) => {
  const { t } = phone.page.data;
  for (const words of [t.kept, t.why, t.where, t.others, t.child, t.rights]) await phone.says(words);
  await phone.tapWords(t.contract);
  await phone.until(() => phone.shell.asked.some(([kind]) => kind === "privacyContract"), "the contract");
  await phone.tapWords(t.own);
  await on(phone, "packages/mine/data/index");
});

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
  assert.deepEqual(plain(phone.page.data.choices).map(({ label }) => label), ["青秀区"]);
  await phone.tap(phone.all("*").findLast((one) => one.textContent.trim() === "青秀区"));
  await asked(phone, server, CHANGE);
  assert.deepEqual(changes(server), [{ county: "450103" }]);
});

scene("without a city there is no county to choose", "packages/mine/profile/index", { script: { "GET /me": { ...PROFILE, city: null, county: null } } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.county);
  await phone.says(phone.page.data.t.city_first);
});

scene("a nickname is sent with the form, and a refused one is said", "packages/mine/profile/index", { script: { [CHANGE]: refusal(409, "nickname_refused", "这个昵称不能使用。") } }, async (phone, server) => {
  const { t } = phone.page.data;
  const box = `wx-input[aria-label="${t.nickname}"]`;
  await phone.says(t.save_name);
  await phone.type(box, "   ");
  await phone.tap(phone.named(t.save_name));
  await phone.says(t.name_first);
  await phone.type(box, "壮乡科普");
  await phone.tap(phone.named(t.save_name));
  await phone.says("这个昵称不能使用。");
  assert.deepEqual(changes(server), [{ nickname: "壮乡科普" }]);
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

scene("one may belong to no unit", "packages/mine/unit/index", {}, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.leave);
  await on(phone, "pages/home/index");
  assert.deepEqual(changes(server), [{ unit: null }]);
});

// Reminders

const SUBSCRIBED = "POST /me/subscriptions";

for (const answer of ["accept", "reject", "ban", "filter"])
  scene(`the server is told ${answer} as WeChat said it`, "packages/mine/subscriptions/index", {
    answers: { subscribe: ({ tmplIds }) => ({ results: Object.fromEntries(tmplIds.map((id) => [id, answer])) }) },
  }, async (phone, server) => {
    const { t } = phone.page.data;
    await phone.says(fill(t.left, { count: 1 }));
    await phone.tapWords(t.more);
    const { body } = await asked(phone, server, SUBSCRIBED);
    const [, { tmplIds, tapped }] = phone.shell.asked.find(([kind]) => kind === "subscribe");
    assert.deepEqual([body, tapped], [{ results: { [tmplIds[0]]: answer } }, true]);
    await phone.says(fill(t.left, { count: 2 }));
  });

scene("a closed sheet tells the server nothing", "packages/mine/subscriptions/index", { answers: { subscribe: { refusal: { errCode: 20004, errMsg: "The main switch is switched off" } } } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.more);
  await phone.says(t.not_asked);
  assert.equal(server.to(SUBSCRIBED).length, 0);
});

scene("topics and quiet hours are chosen", "packages/mine/subscriptions/index", {}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.lecture);
  await asked(phone, server, CHANGE);
  server.will({ "GET /me": { ...PROFILE, topics: ["quiz", "lecture"] } });
  await phone.tapWords(t.quiet_change);
  await phone.tapWords("22:00");
  await asked(phone, server, CHANGE, 2);
  await phone.until(() => phone.page.data.sheet === "quiet_to", "the second sheet");
  await phone.tapWords("08:00");
  await asked(phone, server, CHANGE, 3);
  assert.deepEqual(changes(server), [{ topics: ["quiz", "lecture"] }, { quiet_from: "22:00", quiet_to: "07:00" }, { quiet_to: "08:00" }]);
});

scene("quiet hours that could not be kept are not asked on", "packages/mine/subscriptions/index", { script: { "GET /me": { ...PROFILE, quiet_from: "21:00", quiet_to: "07:00" }, [CHANGE]: OFFLINE } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.says(fill(t.quiet_hours, { from: "21:00", to: "07:00" }));
  await phone.tapWords(t.quiet_change);
  await phone.tapWords("22:00");
  await phone.comes(c.offline);
  assert.equal(phone.page.data.sheet, "");
  server.will({ [CHANGE]: { ...PROFILE, quiet_from: null, quiet_to: null } });
  await phone.tapWords(t.quiet_off);
  await phone.says(t.quiet_none);
  assert.deepEqual(changes(server).at(-1), { quiet_from: null, quiet_to: null });
});

// Inbox

scene("the inbox marks what was not pushed with its reason, and goes on at its end", "packages/mine/inbox/index", {
  script: { "GET /me/inbox": [{ items: [letter("l1"), letter("l2", { not_pushed_reason: "没有订阅" })], next: "more" }, items(letter("l3"))] },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.not_pushed, { reason: "没有订阅" }));
  assert.equal(phone.words.split(t.not_pushed.split("{")[0]).length, 2, "the other one was pushed");
  await phone.page.onReachBottom();
  await phone.says("通知l3");
  await phone.page.onReachBottom();
  assert.deepEqual(server.to("GET /me/inbox").map(({ query }) => query.after), [undefined, "more"]);
});

// The own data

scene("all that is held can be seen and copied", "packages/mine/data/index", {}, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.see);
  await phone.says("韦小妹");
  await phone.tapWords(t.copy);
  await phone.says(t.copied);
  assert.equal(plain(await phone.wx.getClipboardData()).data, JSON.stringify({ nickname: "韦小妹", attempts: [] }, null, 2));
});

scene("what is held by the thousand pages is drawn in part and copied whole", "packages/mine/data/index", { script: { "GET /me/export": { exported_at: PROFILE.created_at, held: { attempts: Array(60_000).fill("答案") } } } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.see);
  await phone.tapWords(t.copy);
  await phone.says(t.copied);
  assert.ok(phone.words.length < 25_000);
  assert.ok(plain(await phone.wx.getClipboardData()).data.length > 300_000);
});

scene("an export that does not come is said", "packages/mine/data/index", { script: { "GET /me/export": OFFLINE } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.see);
  await phone.comes(phone.page.data.c.offline);
});

scene("erasing is asked twice, done once, and forgets everything on this phone", "packages/mine/data/index", { keep: { settings: { elder: true } } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  const erase = phone.all("wx-button").at(-1);
  await phone.tap(erase);
  await phone.says(t.go_on);
  await phone.press(c.cancel);
  await phone.tap(erase);
  await phone.press(t.go_on);
  await phone.says(t.erase_final);
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

// Settings

scene("large type holds at once, on this phone and with the reader", "packages/mine/settings/index", {}, async (phone, server) => {
  const { t } = phone.page.data;
  assert.ok(!phone.page.data.look.elder);
  await phone.tapWords(t.elder);
  await phone.until(() => phone.page.data.look.elder, "large type");
  await asked(phone, server, CHANGE);
  await phone.tapWords(t.language_za);
  await asked(phone, server, CHANGE, 2);
  assert.deepEqual(changes(server), [{ elder_mode: true }, { language: "za" }]);
  await phone.wx.switchTab({ url: "/pages/home/index" });
  assert.match(phone.page.data.look.klass, /look-elder/);
});

scene("before consent and without network the phone alone remembers", "packages/mine/settings/index", { script: { "GET /me": STRANGER } }, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.elder);
  await phone.until(() => phone.page.data.look.elder, "large type");
  server.down = true;
  await phone.tapWords(phone.page.data.t.elder);
  await phone.until(() => !phone.page.data.look.elder, "ordinary type");
  await phone.pass(5_000);
  assert.equal(server.to(CHANGE).length, 0);
  assert.equal(phone.wx.getStorageSync("settings").elder, false);
});

scene("WeChat's own large type brings the large pages by itself", "pages/mine/index", { search: "?fontSize=22" }, async (phone) => {
  await phone.says("韦小妹");
  assert.match(phone.page.data.look.klass, /look-elder/);
});

scene("a token that the server no longer knows is renewed, unseen", "pages/mine/index", {
  script: { "GET /me": [refusal(401, "not_authenticated"), PROFILE], "GET /contests": items() },
  keep: { session: { token: "old", expiresAt: Date.parse("2026-06-20T00:00:00Z") } },
}, async (phone, server) => {
  await phone.says("韦小妹");
  assert.equal(server.to("POST /login").length, 1);
  assert.deepEqual(server.to("GET /me").map(({ headers }) => headers.authorization), ["Bearer old", "Bearer token-1"]);
});

