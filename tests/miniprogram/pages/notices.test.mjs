// The inbox, one message, and the subscription centre: topics, all announcements, city, the sheet.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CAMPAIGN, PROFILE, STRANGER, inbox, letter } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const INBOX = "packages/mine/inbox/index";
const MESSAGE = "packages/mine/message/index";
const CENTRE = "packages/mine/subscriptions/index";
const LIST = "GET /me/inbox";
const ONE = "GET /me/inbox/{ref}";
const READ = "POST /me/inbox/{ref}/read";
const CHANGE = "PUT /me";
const SUBSCRIBED = "POST /me/subscriptions";
const changes = (server) => server.to(CHANGE).map(({ body }) => body);

// Inbox

scene("what was not pushed is marked with its reason, and the list goes on at its end", INBOX, {
  script: { [LIST]: [{ items: [letter("l1"), letter("l2", { not_pushed_reason: "没有订阅" })], next: "more", unread: 0 }, inbox(letter("l3"))] },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.not_pushed, { reason: "没有订阅" }));
  assert.equal(phone.words.split(t.not_pushed.split("{")[0]).length, 2, "the other one was pushed");
  assert.ok(!phone.words.includes(t.read_all), "nothing is new");
  await phone.page.onReachBottom();
  await phone.says("通知l3");
  await phone.page.onReachBottom();
  assert.deepEqual(server.to(LIST).map(({ query }) => query.after), [undefined, "more"]);
});

scene("a withdrawn message is marked and says the reason in place of its text", INBOX, {
  script: { [LIST]: inbox(letter("l1", { withdrawn: true, body: "这条通知已经撤回。时间写错了。" }), letter("l2")) },
}, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("这条通知已经撤回。时间写错了。");
  assert.equal(phone.words.split(t.withdrawn).length, 2, "the other one is not withdrawn");
});

scene("new messages are marked for the eye and the ear until all are marked as read", INBOX, {
  script: { [LIST]: inbox(letter("l1", { read: false }), letter("l2")) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.unread, { count: 1 }));
  const marks = () => plain(phone.page.data.letters).map(({ fresh, label }) => [fresh, label.startsWith(t.fresh)]);
  assert.deepEqual(marks(), [[true, true], [false, false]]);
  server.will({ [LIST]: inbox(letter("l1"), letter("l2")) });
  await phone.tapWords(t.read_all);
  await asked(phone, server, "POST /me/inbox/read");
  await phone.until(() => phone.page.data.unread === "", "nothing new");
  assert.deepEqual(marks(), [[false, false], [false, false]]);
});

scene("marking all as read without network changes nothing and says so", INBOX, {
  script: { [LIST]: inbox(letter("l1", { read: false })), "POST /me/inbox/read": OFFLINE },
}, async (phone) => {
  const { t, c } = phone.page.data;
  await phone.tapWords(t.read_all);
  await phone.comes(c.offline);
  await phone.says(fill(t.unread, { count: 1 }));
});

scene("a message opens whole, is then read, and leads to where it is about", INBOX, {
  script: {
    [LIST]: inbox(letter("l1", { read: false }), letter("l2")),
    [ONE]: letter("l1", { read: false, body: "第一段。\n第二段。", page: "packages/quiz/round/index?id=k1" }),
  },
}, async (phone, server) => {
  await phone.tapWords("通知l1");
  await on(phone, MESSAGE);
  assert.deepEqual(plain(phone.page.options), { id: "l1" });
  await phone.says("第一段。 第二段。");
  assert.match((await asked(phone, server, READ)).path, /\/me\/inbox\/l1\/read$/);
  await phone.tapWords(phone.page.data.t.follow);
  await on(phone, "packages/quiz/round/index");
  assert.deepEqual(plain(phone.page.options), { id: "k1" });
});

scene("the list knows what was read when one comes back to it", INBOX, {
  script: { [LIST]: [inbox(letter("l1", { read: false })), inbox(letter("l1"))], [ONE]: letter("l1", { read: false }) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords("通知l1");
  await on(phone, MESSAGE);
  await asked(phone, server, READ);
  await phone.wx.navigateBack();
  await phone.until(() => phone.page.data.unread === "", "nothing new");
  assert.ok(!phone.words.includes(fill(t.unread, { count: 1 })));
});

// One message

scene("a message says why it was not pushed, and is not marked as read twice", `${MESSAGE}?id=l2`, {
  script: { [ONE]: letter("l2", { not_pushed_reason: "微信里的提醒次数用完了" }) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.not_pushed, { reason: "微信里的提醒次数用完了" }));
  assert.ok(!phone.words.includes(t.follow), "it leads nowhere");
  assert.equal(server.to(READ).length, 0);
});

scene("a withdrawn message leads nowhere any more", `${MESSAGE}?id=l1`, {
  script: { [ONE]: letter("l1", { withdrawn: true, body: "这条通知已经撤回。时间写错了。" }) },
}, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("这条通知已经撤回。时间写错了。");
  assert.ok(phone.words.includes(t.withdrawn) && !phone.words.includes(t.follow));
});

scene("a message whose mark fails is shown all the same", `${MESSAGE}?id=l1`, {
  script: { [ONE]: letter("l1", { read: false }), [READ]: OFFLINE },
}, async (phone, server) => {
  await phone.says("请准时参加。");
  await asked(phone, server, READ);
  assert.ok(!phone.words.includes(phone.page.data.c.retry));
});

scene("a message that is not one's own is told in the server's words", `${MESSAGE}?id=other`, {
  script: { [ONE]: refusal(404, "no_such_message", "没有这条通知。") },
}, async (phone) => {
  await phone.says("没有这条通知。");
  assert.ok(phone.words.includes(phone.page.data.c.retry));
});

scene("a message is in large type for elder readers", `${MESSAGE}?id=l1`, { keep: { settings: { elder: true } } }, async (phone) => {
  await phone.says("请准时参加。");
  assert.match(phone.page.data.look.klass, /look-elder/);
});

// Announcements that were opened

const OPENED = "POST /me/announcements/{ref}/opened";
const openings = (server) => server.to(OPENED).map(({ path }) => path.split("/").at(-2));

scene("a page that an announcement opens reports it once", "packages/quiz/round/index?id=k1&a=ann_1", { script: { [OPENED]: null } }, async (phone, server) => {
  await phone.says("科学素质网络竞赛");
  await asked(phone, server, OPENED);
  // WeChat hands the same address over again when the program comes back to the front.
  phone.window.getApp().onShow({ scene: 1014, query: { a: "ann_1" } });
  phone.window.getApp().onShow({ scene: 1014, query: { a: "ann_2" } });
  await asked(phone, server, OPENED, 2);
  assert.deepEqual(openings(server), ["ann_1", "ann_2"]);
});

scene("an announcement that is opened from the inbox is reported too", `${MESSAGE}?id=l1`, {
  script: { [ONE]: letter("l1", { page: "packages/quiz/round/index?id=k1&a=ann_3" }), [OPENED]: null },
}, async (phone, server) => {
  await phone.says("请准时参加。");
  await phone.tapWords(phone.page.data.t.follow);
  await on(phone, "packages/quiz/round/index");
  await asked(phone, server, OPENED);
  assert.deepEqual(openings(server), ["ann_3"]);
});

scene("one that the server does not know disturbs nobody and is not asked about again", "packages/quiz/round/index?id=k1&a=ann_9", { script: { [OPENED]: refusal(404, "not_found") } }, async (phone, server) => {
  await phone.says("科学素质网络竞赛");
  await asked(phone, server, OPENED);
  phone.window.getApp().onShow({ scene: 1014, query: { a: "ann_9" } });
  await phone.pass(1_000);
  assert.deepEqual(openings(server), ["ann_9"]);
});

scene("one that could not be reported is reported the next time", "packages/quiz/round/index?id=k1&a=ann_4", { script: { [OPENED]: [OFFLINE, null] } }, async (phone, server) => {
  await phone.says("科学素质网络竞赛");
  await asked(phone, server, OPENED);
  phone.window.getApp().onShow({ scene: 1001, query: {} });
  await asked(phone, server, OPENED, 2);
  assert.deepEqual(openings(server), ["ann_4", "ann_4"]);
});

scene("before consent nothing is reported", "packages/quiz/round/index?id=k1&a=ann_5", { script: { "GET /me": STRANGER, [OPENED]: null } }, async (phone, server) => {
  await phone.says("科学素质网络竞赛");
  await phone.pass(1_000);
  assert.deepEqual(openings(server), []);
});

// The page 我的

scene("the own page counts what is new", "pages/mine/index", { script: { [LIST]: inbox(letter("l1", { read: false })) } }, async (phone) => {
  await phone.says(fill(phone.page.data.t.unread, { count: 1 }));
});

scene("the own page opens also when the inbox cannot be read", "pages/mine/index", { script: { [LIST]: refusal(500, "internal") } }, async (phone) => {
  await phone.says("韦小妹");
  assert.equal(phone.page.data.unread, "");
});

// Subscription centre

scene("one tap stops all announcements and one takes them up again", CENTRE, {
  script: { [CHANGE]: ({ body }) => ({ ...PROFILE, ...body }) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("科普大篷车");
  await phone.tapWords(t.announcements);
  await phone.says(t.announcements_off);
  assert.ok(!phone.words.includes("科普大篷车"), "no topics where nothing comes");
  assert.ok(phone.words.includes(t.permissions), "reminders of own sign-ups stay");
  await phone.tapWords(t.announcements);
  await phone.says("科普大篷车");
  assert.deepEqual(changes(server), [{ announcements_off: true }, { announcements_off: false }]);
});

const switched = (name) => (phone) => plain(phone.page.data.rows).find((row) => row.name === name).on;

scene("a topic is turned off and on again, one at a time and in the order of the taps", CENTRE, {
  script: { "GET /me": { ...PROFILE, topics: [] }, [CHANGE]: ({ body }) => ({ ...PROFILE, topics: [], ...body }) },
}, async (phone, server) => {
  const caravan = switched("科普大篷车");
  await phone.says("科普大篷车");
  assert.ok(caravan(phone));
  await phone.tapWords("科普大篷车");
  await phone.tapWords("科普讲座");
  await asked(phone, server, CHANGE, 2);
  await phone.until(() => !caravan(phone) && !switched("科普讲座")(phone) && switched("网络竞赛")(phone), "two are off");
  await phone.tapWords("科普大篷车");
  await asked(phone, server, CHANGE, 3);
  await phone.until(() => caravan(phone), "one is on again");
  assert.deepEqual(changes(server), [
    { topics: [], muted_topics: ["caravan"] },
    { topics: [], muted_topics: ["caravan", "lectures"] },
    { topics: [], muted_topics: ["lectures"] },
  ]);
});

scene("a topic that could not be saved stays as it was", CENTRE, { script: { [CHANGE]: OFFLINE } }, async (phone) => {
  const { c } = phone.page.data;
  await phone.tapWords("科普大篷车");
  await phone.comes(c.offline);
  assert.ok(switched("科普大篷车")(phone));
});

scene("the account may speak of all topics that are on, by one tap of its own", CENTRE, {
  script: {
    "GET /me": { ...PROFILE, topics: ["of-old"], muted_topics: ["caravan"] },
    [CHANGE]: ({ body }) => ({ ...PROFILE, muted_topics: ["caravan"], ...body }),
  },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.account_note);
  assert.equal(phone.page.data.chosen, false);
  await phone.tapWords(t.account);
  await phone.until(() => phone.page.data.chosen, "chosen");
  await phone.tapWords("科普大篷车");
  await asked(phone, server, CHANGE, 2);
  await phone.until(() => switched("科普大篷车")(phone), "on");
  await phone.tapWords(t.account);
  await asked(phone, server, CHANGE, 3);
  assert.deepEqual(changes(server), [
    { topics: ["of-old", "quiz", "lectures"] },
    { topics: ["of-old", "quiz", "lectures", "caravan"], muted_topics: [] },
    { topics: ["of-old"] },
  ]);
});

scene("the city is chosen here too", CENTRE, {
  script: { "GET /me": { ...PROFILE, city: null, city_name: null, county: null, county_name: null }, [CHANGE]: PROFILE },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.city_none);
  await phone.tapWords(t.city_change);
  await phone.tapWords("南宁市");
  await asked(phone, server, CHANGE);
  assert.deepEqual(changes(server), [{ city: "450100", county: null }]);
  await phone.until(() => phone.page.data.city === "南宁市" && phone.page.data.sheet === "", "the city");
});

const FOUR = ["a", "b", "c", "d"];
const OF_FOUR = {
  "GET /campaign": { ...CAMPAIGN, subscribe_templates: FOUR.map((slug) => ({ slug, id: `t-${slug}`, title: `提醒${slug}` })) },
  "GET /me/subscriptions": { remaining: { "t-a": 2, "t-b": 0, "t-c": 1, "t-d": 0 } },
};

scene("one tap asks for the three kinds of which the fewest are left", CENTRE, {
  script: { ...OF_FOUR, [SUBSCRIBED]: { remaining: { "t-a": 2, "t-b": 1, "t-c": 2, "t-d": 1 } } },
  answers: { subscribe: ({ tmplIds }) => ({ results: Object.fromEntries(tmplIds.map((id) => [id, "accept"])) }) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(fill(t.more_together, { count: 3 }));
  const { body } = await asked(phone, server, SUBSCRIBED);
  const [, { tmplIds, tapped }] = phone.shell.asked.find(([kind]) => kind === "subscribe");
  assert.deepEqual([plain(tmplIds), tapped], [["t-b", "t-d", "t-c"], true]);
  assert.deepEqual(body, { results: { "t-b": "accept", "t-d": "accept", "t-c": "accept" } });
  await phone.until(() => !phone.words.includes(fill(t.left, { count: 0 })), "the new numbers");
});

for (const [answer, words] of [["reject", (t) => t.not_agreed], ["ban", (_t, c) => c.push_off]])
  scene(`what was used up is said in words, and so is a sheet answered with ${answer}`, CENTRE, {
    script: { ...OF_FOUR, [SUBSCRIBED]: { remaining: { "t-a": 2, "t-b": 0, "t-c": 1, "t-d": 0 } } },
    answers: { subscribe: ({ tmplIds }) => ({ results: Object.fromEntries(tmplIds.map((id) => [id, answer])) }) },
  }, async (phone) => {
    const { t, c } = phone.page.data;
    await phone.says(t.left_none);
    assert.ok(!phone.words.includes(fill(t.left, { count: 0 })));
    await phone.tapWords(t.more);
    await phone.says(words(t, c));
  });

scene("the sheet opens in its tap while a change is still being saved", CENTRE, {
  script: OF_FOUR,
  answers: { subscribe: ({ tmplIds }) => ({ results: { [tmplIds[0]]: "accept" } }) },
}, async (phone, server) => {
  const { t } = phone.page.data;
  const slow = held({ ...PROFILE, muted_topics: ["caravan"] });
  server.will({ [CHANGE]: slow.answer, [SUBSCRIBED]: { remaining: { "t-a": 3, "t-b": 0, "t-c": 1, "t-d": 0 } } });
  await phone.tapWords("科普大篷车");
  await asked(phone, server, CHANGE);
  await phone.tapWords(t.more);
  const [, { tapped }] = phone.shell.asked.find(([kind]) => kind === "subscribe");
  assert.ok(tapped);
  slow.release();
  await asked(phone, server, SUBSCRIBED);
  await phone.says(fill(t.left, { count: 3 }));
});

scene("with one kind there is nothing to ask for together", CENTRE, {
  script: { "GET /campaign": { ...CAMPAIGN, subscribe_templates: CAMPAIGN.subscribe_templates.slice(0, 1) } },
}, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.more);
  assert.ok(!phone.words.includes(fill(t.more_together, { count: 1 })));
});

scene("the centre asks for consent before it shows anything", CENTRE, { script: { "GET /me": STRANGER } }, async (phone, server) => {
  await phone.says(phone.page.data.c.consent_note);
  assert.equal(server.to("GET /me/subscriptions").length, 0);
});
