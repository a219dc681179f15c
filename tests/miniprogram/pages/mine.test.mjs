// The programmes, and what is the reader's own: consent, reminders, settings.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CAMPAIGN, LOGIN, PROFILE, STRANGER, items, programme } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

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

scene("home names the operator's telephone, and the notice's where the operator has none", "pages/home/index", {}, async (phone, server) => {
  await phone.says(`${phone.page.data.t.phone}0771-0000001`);
  server.will({ "GET /campaign": { ...CAMPAIGN, operator: { ...CAMPAIGN.operator, phone: "" } } });
  await phone.page.onPullDownRefresh();
  await phone.says(`${phone.page.data.t.phone}0771-0000000`);
});

scene("a programme that is gone says so", "packages/programme/detail/index?slug=old", { script: { "GET /programmes/{slug}": refusal(404, "not_found", "没有找到。") } }, async (phone) => {
  await phone.says("没有找到。");
});

// Mine

const DOORS = {
  records: "packages/quiz/records/index",
  edit: "packages/mine/profile/index", boards: "packages/quiz/board/index", mistakes: "packages/quiz/mistakes/index", inbox: "packages/mine/inbox/index",
  subscriptions: "packages/mine/subscriptions/index", settings: "packages/mine/settings/index", privacy: "packages/mine/privacy/index", own: "packages/mine/data/index",
};

scene("every door of the own page opens", "pages/mine/index", {}, async (phone) => {
  const { t, c } = phone.page.data;
  await phone.says(fill(c.total, { score: 50 }));
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
  for (const words of [t.kept, t.why, t.where, t.long, t.others, t.third, t.child, t.rights]) await phone.says(words);
  await phone.says(fill(t.version_since, { version: "2026-1", date: "2026年3月1日" }));
  for (const words of Object.values(CAMPAIGN.operator)) await phone.says(words);
  await phone.tapWords(t.contract);
  await phone.until(() => phone.shell.asked.some(([kind]) => kind === "privacyContract"), "the contract");
  await phone.tapWords(t.own);
  await on(phone, "packages/mine/data/index");
});

scene("the rules are read without a network, and say so of what is missing", "packages/mine/privacy/index", { script: { "GET /campaign": OFFLINE } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.says(t.rights);
  await phone.comes(c.offline);
  server.will({ "GET /campaign": CAMPAIGN });
  await phone.tapWords(c.retry);
  await phone.says(CAMPAIGN.operator.complaints);
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

scene("what was allowed while the one before is still being told is told too", "packages/mine/subscriptions/index", {
  answers: { subscribe: ({ tmplIds }) => ({ results: { [tmplIds[0]]: "accept" } }) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.left, { count: 1 }));
  const slow = held({ remaining: { "tmpl-quiz": 2 } });
  server.will({ [SUBSCRIBED]: [slow.answer, { remaining: { "tmpl-quiz": 3 } }] });
  await phone.tapWords(t.more);
  await asked(phone, server, SUBSCRIBED);
  await phone.tapWords(t.more);
  slow.release();
  await asked(phone, server, SUBSCRIBED, 2);
  await phone.says(fill(t.left, { count: 3 }));
});

scene("a closed sheet tells the server nothing", "packages/mine/subscriptions/index", { answers: { subscribe: { refusal: { errCode: 20004, errMsg: "The main switch is switched off" } } } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.more);
  await phone.says(t.not_asked);
  assert.equal(server.to(SUBSCRIBED).length, 0);
});

scene("quiet hours are chosen", "packages/mine/subscriptions/index", {}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.quiet_change);
  await phone.tapWords("22:00");
  await asked(phone, server, CHANGE);
  await phone.until(() => phone.page.data.sheet === "quiet_to", "the second sheet");
  await phone.tapWords("08:00");
  await asked(phone, server, CHANGE, 2);
  assert.deepEqual(changes(server), [{ quiet_from: "22:00", quiet_to: "07:00" }, { quiet_to: "08:00" }]);
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

// Settings

scene("large type holds at once, on this phone and with the reader", "packages/mine/settings/index", {}, async (phone, server) => {
  const { t } = phone.page.data;
  assert.ok(!phone.page.data.look.elder);
  await phone.tapWords(t.elder);
  await phone.until(() => phone.page.data.look.elder, "large type");
  await asked(phone, server, CHANGE);
  assert.deepEqual(changes(server), [{ elder_mode: true }]);
  assert.ok(!phone.words.includes(t.language_za), "a language without words is not offered");
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

scene("a switch that the account does not hear of says so, and holds on this phone", "packages/mine/settings/index", { script: { "POST /login": refusal(429, "too_many_requests", "请稍后再来。"), "GET /me": refusal(401, "not_authenticated", "请重新登录。") } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.elder);
  await phone.until(() => phone.page.data.look.elder, "large type");
  await phone.comes(t.only_here);
  assert.equal(server.to(CHANGE).length, 0);
  assert.equal(phone.wx.getStorageSync("settings").elder, true);
});

scene("large type chosen on another phone comes with the log-in, and goes with it", "pages/home/index", { script: { "POST /login": { ...LOGIN, citizen: { ...LOGIN.citizen, elder_mode: true } } } }, async (phone, server) => {
  await phone.until(() => phone.page.data.look.elder, "large type");
  assert.match(phone.$("[role=tablist]").className, /look-elder/);
  server.will({ "GET /me": { ...PROFILE, elder_mode: false } });
  await phone.wx.switchTab({ url: "/pages/mine/index" });
  await phone.until(() => !phone.page.data.look.elder, "ordinary type");
});

scene("large type chosen on this phone alone stays until the person chooses elsewhere", "pages/mine/index", { keep: { settings: { language: "zh", elder: true, group: null } } }, async (phone) => {
  await phone.says("韦小妹");
  assert.ok(phone.page.data.look.elder);
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
