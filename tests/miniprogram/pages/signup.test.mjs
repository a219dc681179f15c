// The sign-up of one activity: its form, the subscription sheet in its tap, and what came of it.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CAMPAIGN, PROFILE, lecture, place } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { held, refusal } from "./server.mjs";

const DETAIL = "packages/lectures/detail/index?id=a1";
const SIGN_UP = "packages/lectures/signup/index?id=a1";
const SEND = "POST /activities/{ref}/signup";
const ONE = "GET /activities/{ref}";
const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const shows = (changes) => ({ script: { [ONE]: lecture("a1", changes) } });

const QUESTIONS = [{ key: "diet", label: "午餐", options: ["清真", "普通"], needed: true }, { key: "from", label: "从哪里来", options: [], needed: false }];
const FORM = { party_max: 3, phone_needed: true, questions: QUESTIONS };
const inputOf = (phone, label) => `wx-input[aria-label="${label}"]`;
/** The sheet answers every template with yes. */
const YES = { subscribe: ({ tmplIds }) => ({ results: Object.fromEntries(tmplIds.map((id) => [id, "accept"])) }) };
const ALL = ["signup-success", "waitlist-promoted", "lecture-reminder", "change-notice"];
const SENDERS = {
  "GET /campaign": { ...CAMPAIGN, subscribe_templates: ALL.map((slug) => ({ slug, id: `t-${slug}`, title: slug })) },
  "GET /me/subscriptions": { remaining: Object.fromEntries(ALL.map((slug) => [`t-${slug}`, 0])) },
  "POST /me/subscriptions": { remaining: {} },
};

scene("party, answers, name and a typed phone are sent under one key; what is missing is said first", SIGN_UP, { ...shows(FORM) }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(fill(t.people, { count: 2 }));
  await phone.tapWords(t.send);
  await phone.says(t.phone_first);
  await phone.type(inputOf(phone, t.phone_typed), "12345");
  await phone.tapWords(t.send);
  await phone.says(t.phone_wrong);
  await phone.type(inputOf(phone, t.phone_typed), "13800138000");
  await phone.tapWords(t.send);
  await phone.says(fill(t.answer_first, { label: "午餐" }));
  await phone.tapWords("清真");
  await phone.type(inputOf(phone, t.name), " 韦小妹 ");
  await phone.type(inputOf(phone, "从哪里来"), " 青秀区 ");
  const slow = held({ status: 201, body: place("confirmed", { party_size: 2 }) });
  server.will({ [SEND]: slow.answer });
  await phone.tapWords(t.send);
  await phone.tap(phone.named(t.send));
  slow.release();
  await phone.says(t.confirmed);
  assert.deepEqual(server.to(SEND).map(({ body }) => plain(body)), [{ party_size: 2, answers: { diet: "清真", from: "青秀区" }, name: "韦小妹", phone: "13800138000" }]);
  assert.deepEqual(phone.shell.asked.filter(([kind]) => kind === "subscribe"), [], "no template has a sender");
});

scene("WeChat's own number is enough", SIGN_UP, { ...shows({ phone_needed: true }), answers: { phoneNumber: { code: "p1" } } }, async (phone, server) => {
  const { t } = phone.page.data;
  server.will({ "POST /me/phone": { phone_masked: "138****8000" } });
  await phone.tapWords(t.give_phone);
  await phone.says(`${t.phone_known}138****8000`);
  await phone.tapWords(t.send);
  await asked(phone, server, SEND);
  assert.deepEqual(plain(server.to(SEND)[0].body), { party_size: 1, answers: {} });
});

scene("the known number is offered", SIGN_UP, { script: { [ONE]: lecture("a1", { phone_needed: true }), "GET /me": { ...PROFILE, phone_masked: "139****0000" } } }, async (phone) => {
  await phone.says(`${phone.page.data.t.phone_known}139****0000`);
});

const WANTED = { seat: ["lecture-reminder", "change-notice", "signup-success"], wait: ["waitlist-promoted", "lecture-reminder", "change-notice"] };

for (const [what, changes, word, said] of [["seat", {}, "send", "confirmed"], ["wait", { seats_left: 0 }, "send_wait", "waitlisted"]])
  scene(`the subscription sheet comes in the very tap, for a ${what}`, SIGN_UP, { script: { ...SENDERS, [ONE]: lecture("a1", changes), [SEND]: { status: 201, body: place(said, { position: 1 }) } }, answers: YES }, async (phone, server) => {
    const { t } = phone.page.data;
    await phone.tapWords(t[word]);
    await phone.says(t[said]);
    const sheets = phone.shell.asked.filter(([kind]) => kind === "subscribe");
    assert.deepEqual(plain(sheets), [["subscribe", { tmplIds: WANTED[what].map((slug) => `t-${slug}`), tapped: true }]]);
    assert.deepEqual(plain(server.to("POST /me/subscriptions")[0].body), { results: Object.fromEntries(WANTED[what].map((slug) => [`t-${slug}`, "accept"])) });
    const acts = server.asked.map(({ name }) => name).filter((name) => name === SEND || name === "POST /me/subscriptions");
    assert.deepEqual(acts, ["POST /me/subscriptions", SEND], "the server has the grants when it confirms");
  });

const says = (answer) => ({ subscribe: ({ tmplIds }) => ({ results: Object.fromEntries(tmplIds.map((id) => [id, answer])) }) });

for (const [what, answers, body, way] of [
  ["refused", says("reject"), "push_none", "push_more"],
  ["not permitted for the templates", says("ban"), "push_off", "push_settings"],
  ["not permitted at all", { subscribe: { refusal: { errCode: 20004, errMsg: "The main switch is switched off" } } }, "push_off", "push_settings"],
])
  scene(`a sheet that was ${what} is told after the sign-up, with what helps`, SIGN_UP, { script: SENDERS, answers: { setting: { mainSwitch: false, itemSettings: {} }, ...answers } }, async (phone, server) => {
    const { t, c } = phone.page.data;
    await phone.tapWords(t.send);
    await phone.says(c[body]);
    await phone.says(t.confirmed);
    assert.equal(server.to(SEND).length, 1);
    await phone.press(c[way]);
    if (way === "push_more") await on(phone, "packages/mine/subscriptions/index");
    else await phone.until(() => phone.shell.asked.some(([kind]) => kind === "setting"), "the settings");
  });

scene("who refuses and has reminders left reads only that the sign-up succeeded", SIGN_UP, { script: { ...SENDERS, "GET /me/subscriptions": { remaining: Object.fromEntries(ALL.map((slug) => [`t-${slug}`, 1])) } }, answers: says("reject") }, async (phone) => {
  const { t, c } = phone.page.data;
  await phone.tapWords(t.send);
  await phone.says(t.confirmed);
  assert.ok(!phone.overWords.includes(c.push_none));
});

scene("grants that could not be recorded do not keep anybody from the seat, and are told", SIGN_UP, { script: { ...SENDERS, "POST /me/subscriptions": refusal(503, "database_away", "服务正忙。") }, answers: YES }, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.send);
  await phone.says("服务正忙。");
  assert.equal(server.to(SEND).length, 1);
});

scene("a party that does not fit is told that it waits", SIGN_UP, shows({ party_max: 3, seats_left: 2 }), async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.send);
  assert.ok(!phone.words.includes(t.wait_note));
  await phone.tapWords(fill(t.people, { count: 3 }));
  await phone.says(t.wait_note);
  await phone.says(t.send_wait);
});

scene("a lottery says that nobody is earlier than others", SIGN_UP, {
  script: { [ONE]: lecture("a1", { phase: "lottery", lottery: { draw_at: "2026-06-18T12:00:00+08:00", drawn_at: null, commitment: null, seed: null, entered: 0 } }), [SEND]: { status: 201, body: place("entered") } },
}, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.lottery_note, { time: "6月18日 12:00" }));
  await phone.tapWords(t.send_lottery);
  await phone.says(t.entered);
});

scene("a refusal is told in the server's words, the page stays, and grants are kept", SIGN_UP, { script: { ...SENDERS, [SEND]: [refusal(409, "signup_limit_reached", "你同时最多可以报3场活动。"), { status: 201, body: place("confirmed") }] }, answers: YES }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.send);
  await phone.says("你同时最多可以报3场活动。");
  await asked(phone, server, "POST /me/subscriptions");
  await on(phone, "packages/lectures/signup/index");
  await phone.tapWords(t.send);
  await phone.says(t.confirmed);
});

const CLASH = { ...refusal(409, "clashes_with_other_activity", "你在同一时间已经报了《讲座b》。") };
CLASH.body = { ...CLASH.body, activity: "b", title: "讲座b" };

scene("another activity at the same time can be given up in the same step", SIGN_UP, { script: { [SEND]: [CLASH, CLASH, { status: 201, body: place("confirmed") }] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.send);
  await phone.says("你在同一时间已经报了《讲座b》。");
  await phone.press(t.clash_no);
  await on(phone, "packages/lectures/signup/index");
  await phone.tapWords(t.send);
  await phone.says(t.clash);
  await phone.press(t.clash_yes);
  await phone.says(t.confirmed);
  assert.deepEqual(server.to(SEND).map(({ body }) => body.instead_of), [undefined, undefined, "b"]);
  assert.notEqual(server.to(SEND)[1].key, server.to(SEND)[2].key);
});

scene("what was closed meanwhile leads back to the activity", DETAIL, { script: { [ONE]: [lecture("a1"), lecture("a1", { phase: "closed" })] } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.sign_up);
  await on(phone, "packages/lectures/signup/index");
  await phone.says(phone.page.data.t.not_open);
  await phone.tapWords(phone.page.data.t.back);
  await on(phone, "packages/lectures/detail/index");
});
