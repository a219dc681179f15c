// Lectures: the list with its filters, and one activity with one's own place in it.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CODE, NOW, items, lecture, place } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { refusal } from "./server.mjs";

const LIST = "packages/lectures/list/index";
const DETAIL = "packages/lectures/detail/index?id=a1";
const TICKETS = "packages/lectures/ticket/index";
const ONE = "GET /activities/{ref}";
const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const shows = (changes) => ({ script: { [ONE]: lecture("a1", changes) } });
const titles = (phone) => plain(phone.page.data.cards).map(({ title }) => title);
const pickIn = async (phone, words) => {
  await phone.until(() => phone.page.data.sheet !== "", "the sheet");
  await phone.tap(phone.all("*").findLast((one) => one.textContent.trim() === words));
};

// The list

scene("home and the page of one's own lead to lectures, before any log-in too", "pages/home/index", { script: { "POST /login": refusal(503, "wechat_away", "") } }, async (phone, server) => {
  await phone.comes("科学素质网络竞赛");
  await phone.tap(phone.named(phone.page.data.t.lectures));
  await on(phone, LIST);
  await phone.comes("讲座a1");
  assert.equal(server.to("GET /activities")[0].headers.authorization, undefined);
  await phone.wx.switchTab({ url: "/pages/mine/index" });
});

scene("what is signed up for is reached from the page of one's own", "pages/mine/index", {}, async (phone) => {
  await phone.says("韦小妹");
  await phone.tapWords(phone.page.data.t.tickets);
  await on(phone, TICKETS);
});

const STATES = [
  ["not_open", { signup_opens_at: "2026-06-18T09:00:00+08:00" }, (c) => fill(c.act_not_open, { time: "6月18日 09:00" })],
  ["lottery", { lottery: { draw_at: "2026-06-18T12:00:00+08:00", drawn_at: null, commitment: "c", seed: null, entered: 7 } }, (c) => fill(c.act_lottery, { time: "6月18日 12:00" })],
  ["open", {}, (c) => fill(c.act_left, { count: 12 })],
  ["open", { seats_left: 0 }, (c) => c.act_wait],
  ["open", { seats_left: 0, waitlist_open: false }, (c) => c.act_full],
  ["closed", {}, (c) => c.act_closed],
  ["postponed", {}, (c) => c.act_postponed],
  ["cancelled", {}, (c) => c.act_cancelled],
  ["ended", {}, (c) => c.act_ended],
  ["open", { me: place("confirmed") }, (c) => c.act_confirmed],
  ["open", { me: place("waitlisted", { position: 4 }) }, (c) => fill(c.act_waitlisted, { count: 4 })],
  ["open", { me: place("offered", { offer_expires_at: "2026-06-17T09:30:00+08:00" }) }, (c) => c.act_offered],
  ["lottery", { me: place("entered") }, (c) => c.act_entered],
];

scene("each state of a sign-up is said in plain words", LIST, { script: { "GET /activities": items(...STATES.map(([phase, changes], at) => lecture(`s${at}`, { phase, ...changes }))) } }, async (phone) => {
  const { c, t } = phone.page.data;
  await phone.says(t.end);
  for (const [at, [, , words]] of STATES.entries()) {
    const card = phone.all("[role=button]").find((one) => one.textContent.includes(`讲座s${at}`));
    assert.ok(card.textContent.includes(words(c)), `${at}: ${card.textContent}`);
  }
  await phone.says("6月20日 周六 15:00—17:00");
  await phone.says("南宁市 广西图书馆报告厅");
});

scene("day, city, programme and audience go together, and all come back by one tap", LIST, {}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(`${t.tomorrow} 6月18日`);
  await asked(phone, server, "GET /activities", 2);
  for (const [all, words] of [[t.all_cities, "柳州市"], [t.all_programmes, "活动b"], [t.all_audiences, t.elder]]) {
    await phone.says("讲座a1");
    await phone.tap(phone.named(all));
    await pickIn(phone, words);
  }
  server.will({ "GET /activities": items() });
  await phone.tapWords("周五 6月19日");
  await phone.says(t.none);
  assert.deepEqual(plain(server.to("GET /activities").at(-1).query), { city: "450200", programme: "b", audience: "elder", from: "2026-06-19", to: "2026-06-19", limit: "20" });
  server.will({ "GET /activities": items(lecture("a1")) });
  await phone.tapWords(t.clear);
  await phone.says("讲座a1");
  assert.deepEqual(plain(server.to("GET /activities").at(-1).query), { limit: "20" });
  for (const words of [t.all_cities, t.all_programmes, t.all_audiences]) await phone.says(words);
});

scene("later activities come when the end is reached, and the end is said", LIST, { script: { "GET /activities": [{ items: [lecture("a1")], next: "c1" }, items(lecture("a9"))] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.more);
  await phone.page.onReachBottom();
  await phone.says("讲座a9");
  await phone.says(t.end);
  assert.equal(server.to("GET /activities")[1].query.after, "c1");
  await phone.page.onReachBottom();
  assert.equal(server.to("GET /activities").length, 2);
});

const FAR = lecture("far", { latitude: 24.3264, longitude: 109.4281 });
const NOWHERE = lecture("nowhere", { latitude: null, longitude: null });
const HERE = { position: { latitude: 22.8167, longitude: 108.3669 } };

scene("the nearest comes first, and the position stays on the phone", LIST, { answers: HERE, script: { "GET /activities": [items(FAR), { items: [FAR, NOWHERE], next: "c1" }, items(lecture("near"))] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("讲座far");
  assert.deepEqual(phone.shell.asked.filter(([kind]) => kind === "position"), [], "nobody asks before it is chosen");
  await phone.tapWords(t.by_distance);
  await phone.says(t.distance_note);
  await phone.until(() => titles(phone).length === 3, "all pages");
  assert.deepEqual(titles(phone), ["讲座near", "讲座far", "讲座nowhere"]);
  for (const words of [t.near, fill(t.away, { km: 200 })]) await phone.says(words);
  assert.doesNotMatch(JSON.stringify(server.asked.map(({ path, query, body, headers }) => ({ path, query, body, headers }))), /22\.81|108\.36|latitude/);
});

scene("without a position the order stays that of time", LIST, { answers: { position: () => null } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("讲座a1");
  await phone.tapWords(t.by_distance);
  await phone.says(t.no_position);
  assert.deepEqual([phone.page.data.order, server.to("GET /activities").length], ["time", 1]);
});

const POSTER = "/pictures/activities/pst_1.jpg";
const SQUARE = "/pictures/activities/small/pst_1.jpg";
const onNet = (path) => `/phone/net/kepu.example.org${path}`;
const fails = (phone, image) => image.dispatchEvent(new phone.window.Event("error"));

scene("the list shows the small square of a poster beside the words, and nothing in its place when it does not come", LIST, { script: { "GET /activities": items(lecture("a1", { poster: SQUARE }), lecture("a2")) } }, async (phone) => {
  await phone.says("讲座a2");
  const [image, ...others] = phone.all("wx-image img");
  assert.deepEqual([image.getAttribute("src"), others], [onNet(SQUARE), []]);
  // The title says the same.
  assert.ok(image.closest("[aria-hidden=true]"));
  fails(phone, image);
  await phone.until(() => phone.all("wx-image img").length === 0, "a list without the picture");
  await phone.says("讲座a1");
});

// One activity

scene("the poster is wide, said in words, and seen whole by a tap", DETAIL, shows({ poster: POSTER }), async (phone) => {
  const { t } = phone.page.data;
  await phone.until(() => phone.$("wx-image img"), "a poster");
  const image = phone.$("wx-image img");
  assert.deepEqual([image.getAttribute("src"), image.alt], [onNet(POSTER), t.poster_of]);
  await phone.tap(phone.named(t.poster_of));
  assert.equal(phone.over(".wx-preview img").getAttribute("src"), onNet(POSTER));
});

scene("a poster that does not come, and an activity without one, leave no hole", DETAIL, shows({ poster: POSTER }), async (phone, server) => {
  const { t } = phone.page.data;
  await phone.until(() => phone.$("wx-image img"), "a poster");
  fails(phone, phone.$("wx-image img"));
  await phone.until(() => phone.all("wx-image").length === 0, "a page without the picture");
  assert.equal(phone.all(`[aria-label="${t.poster_of}"]`).length, 0);
  server.will({ [ONE]: lecture("a1") });
  await phone.page.onPullDownRefresh();
  await phone.says("溶洞是怎样形成的。");
  assert.equal(phone.all("wx-image").length, 0);
});

scene("all that is known is told, and the map, the office and the live link are at hand", DETAIL, {
  answers: { map: {}, phoneCall: { called: true } },
  ...shows({ party_max: 3, live_link: "https://live.example.org/1", office_phone: "0771-1234567", notes: "请带身份证。", remark: "改到二楼。", no_show_rule: "90天内缺席3次，7天内不能再报。" }),
}, async (phone) => {
  const { t } = phone.page.data;
  const told = ["6月20日 周六 15:00—17:00", "民族大道61号 广西图书馆报告厅", "研究喀斯特地貌三十年。", `${t.youth}、${t.elder}`, fill(t.in_series, { title: "八桂讲坛", number: 3 }),
    "6月10日 09:00—6月20日 12:00", fill(t.seats_of, { seats: 300, left: 12 }), fill(t.people, { count: 3 }), "请带身份证。", "改到二楼。", t.no_show, "90天内缺席3次，7天内不能再报。", "https://live.example.org/1"];
  for (const words of told) await phone.says(words);
  await phone.tapWords(t.way);
  await phone.tapWords(t.call);
  await phone.tapWords(t.copy_link);
  await phone.says(t.copied);
  assert.deepEqual(plain(phone.shell.asked.filter(([kind]) => kind === "map" || kind === "phoneCall")), [
    ["map", { latitude: 22.8167, longitude: 108.3669, name: "广西图书馆报告厅", address: "民族大道61号", scale: 16 }], ["phoneCall", { phoneNumber: "0771-1234567" }],
  ]);
  const { card } = await phone.shell.program.share("menu");
  assert.deepEqual([card.title, card.path], ["讲座a1", `/${DETAIL}`]);
});

scene("without a point there is no map, and nothing empty is told", DETAIL, shows({ latitude: null, longitude: null, speaker_bio: "", audiences: [], series: null }), async (phone) => {
  const { t } = phone.page.data;
  await phone.says("溶洞是怎样形成的。");
  for (const words of [t.way, t.about_speaker, t.audiences, t.series, t.live, t.call]) assert.ok(!phone.words.includes(words), words);
});

for (const [what, changes, word] of [
  ["a free seat", {}, "sign_up"], ["the waitlist", { seats_left: 0 }, "wait"],
  ["a lottery", { phase: "lottery", lottery: { draw_at: "2026-06-18T12:00:00+08:00", drawn_at: null, commitment: null, seed: null, entered: 0 } }, "enter"],
])
  scene(`the button for ${what} opens the sign-up`, DETAIL, shows(changes), async (phone) => {
    await phone.tapWords(phone.page.data.t[word]);
    await on(phone, "packages/lectures/signup/index");
  });

for (const [what, changes] of [["begins on another day", { phase: "not_open", signup_opens_at: "2026-06-18T09:00:00+08:00" }], ["is over", { phase: "closed" }], ["is full to the end", { seats_left: 0, waitlist_open: false }], ["is one's own already", { me: place("confirmed") }]])
  scene(`there is no button for a sign-up that ${what}`, DETAIL, shows(changes), async (phone) => {
    const { t } = phone.page.data;
    await phone.says("溶洞是怎样形成的。");
    for (const words of [t.sign_up, t.wait, t.enter]) assert.ok(!phone.words.includes(words), words);
  });

const SOON = { phase: "not_open", signup_opens_at: new Date(NOW + 65_000).toISOString() };

for (const [what, changes, word] of [["seats", {}, "sign_up"], ["a lottery", { lottery: { draw_at: "2026-06-18T12:00:00+08:00", drawn_at: null, commitment: null, seed: null, entered: 0 } }, "enter"]])
  scene(`the wait for the opening of ${what} is counted, and the button works in that moment without a request`, DETAIL, shows({ ...SOON, ...changes }), async (phone, server) => {
    const { t } = phone.page.data;
    phone.window.Math.random = () => 0.5;
    await phone.says(`${t.opens_in}1:05`);
    await phone.says(t.opens_later);
    await phone.pass(1_000);
    await phone.says("1:04");
    await phone.tapWords(t.opens_later);
    await on(phone, "packages/lectures/detail/index");
    await phone.pass(63_500);
    assert.ok(!phone.words.includes(t[word]));
    server.will({ [ONE]: lecture("a1", { ...SOON, ...changes, phase: changes.lottery ? "lottery" : "open", seats_left: 3 }) });
    await phone.pass(500);
    await phone.says(t[word]);
    assert.ok(!phone.words.includes(t.opens_later));
    assert.equal(server.to(ONE).length, 1, "ten thousand phones would ask in the same second");
    await phone.pass(7_000);
    assert.equal(server.to(ONE).length, 1);
    await phone.pass(500);
    await phone.says(fill(t.seats_of, { seats: 300, left: 3 }));
    assert.equal(server.to(ONE).length, 2);
    await phone.tapWords(t[word]);
    await on(phone, "packages/lectures/signup/index");
    await phone.says(phone.page.data.t[changes.lottery ? "send_lottery" : "send"]);
  });

scene("phones that wait for the opening read the seats at different moments", DETAIL, shows(SOON), async (phone, server) => {
  await phone.says(phone.page.data.t.opens_later);
  const moments = new Set();
  for (const chance of [0, 0.25, 0.5, 0.999]) {
    phone.window.Math.random = () => chance;
    phone.page.begin();
    const [asked, from] = [server.to(ONE).length, phone.clock.at];
    while (server.to(ONE).length === asked && phone.clock.at < from + 15_000) await phone.pass(250);
    assert.equal(server.to(ONE).length, asked + 1);
    moments.add(phone.clock.at - from);
  }
  assert.equal(moments.size, 4);
});

scene("a page that was left after the opening asks nothing", DETAIL, shows(SOON), async (phone, server) => {
  const { t } = phone.page.data;
  phone.window.Math.random = () => 0.5;
  await phone.says(t.opens_later);
  await phone.pass(65_500);
  server.will({ [ONE]: lecture("a1") });
  await phone.tapWords(t.sign_up);
  await on(phone, "packages/lectures/signup/index");
  await phone.says("讲座a1");
  const asked = server.to(ONE).length;
  await phone.pass(15_000);
  assert.equal(server.to(ONE).length, asked);
});

scene("the opening is counted by the server's clock on a phone whose own is wrong", DETAIL, { ...shows(SOON), serverClock: NOW + 5_000 }, async (phone) => {
  await phone.says(`${phone.page.data.t.opens_in}1:00`);
});

scene("an opening in days is told in days", DETAIL, shows({ phase: "not_open", signup_opens_at: "2026-06-19T10:00:00+08:00" }), async (phone) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.opens_in_days, { count: 2 }));
  assert.ok(!phone.words.includes(t.opens_in));
});

const OFFERED = { seats_left: 0, me: place("offered", { offer_expires_at: "2026-06-17T09:30:00+08:00", ticket: { code: CODE } }) };
const OFFER = "POST /activities/{ref}/signup/offer";

scene("an offered seat is held with a countdown and can be taken", DETAIL, shows(OFFERED), async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.says(c.act_offered);
  await phone.says(fill(t.offered_note, { time: "6月17日 09:30" }));
  await phone.says("30:00");
  await phone.pass(1_000);
  await phone.says("29:59");
  server.will({ [ONE]: lecture("a1", { me: place("confirmed") }) });
  await phone.tapWords(t.accept);
  await phone.says(c.act_confirmed);
  assert.deepEqual(plain(server.to(OFFER)[0].body), { accept: true });
  await phone.tapWords(t.ticket);
  await on(phone, TICKETS);
});

scene("an offer is declined after a question, and a late answer is told and the page shows what came of it", DETAIL, shows(OFFERED), async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.decline);
  await phone.says(t.decline_ask);
  await phone.press(t.withdraw_no);
  assert.equal(server.to(OFFER).length, 0);
  server.will({ [OFFER]: refusal(409, "offer_expired", "保留时间已过。"), [ONE]: lecture("a1", { seats_left: 0 }) });
  await phone.tapWords(t.decline);
  await phone.press(t.decline);
  await phone.says("保留时间已过。");
  await phone.says(t.wait);
  assert.deepEqual(plain(server.to(OFFER)[0].body), { accept: false });
});

for (const [status, changes, word] of [["waitlisted", { position: 2 }, "waitlisted_note"], ["confirmed", {}, "confirmed_note"]])
  scene(`a place that is ${status} is given up after a question`, DETAIL, shows({ me: place(status, changes) }), async (phone, server) => {
    const { t } = phone.page.data;
    await phone.says(t[word]);
    await phone.tapWords(t.withdraw);
    await phone.says(t.withdraw_ask);
    await phone.press(t.withdraw_no);
    assert.equal(server.to("DELETE /activities/{ref}/signup").length, 0);
    await phone.tapWords(t.withdraw);
    server.will({ [ONE]: lecture("a1") });
    await phone.press(t.withdraw_yes);
    await phone.says(t.withdrawn);
    await phone.says(t.sign_up);
  });

scene("after the draw the page tells that it is over, and no count of entries", DETAIL, shows({ seats: 50, seats_left: 0, waitlist_length: 45, lottery: { draw_at: "2026-06-18T12:00:00+08:00", drawn_at: "2026-06-18T12:00:03+08:00", commitment: "c", seed: "s", entered: 0 } }), async (phone) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.drawn, { time: "6月18日 12:00" }));
  assert.ok(!phone.words.includes("人参加"));
});

scene("in a lottery the hour of the draw is told; after the start nobody withdraws", DETAIL, shows({ phase: "lottery", lottery: { draw_at: "2026-06-18T12:00:00+08:00", drawn_at: null, commitment: null, seed: null, entered: 9 }, me: place("entered") }), async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.entered_note, { time: "6月18日 12:00" }));
  await phone.says(fill(t.draw_so_far, { time: "6月18日 12:00", count: 9 }));
  server.will({ [ONE]: lecture("a1", { phase: "closed", starts_at: new Date(NOW - 60_000).toISOString(), me: place("confirmed") }) });
  await phone.page.onPullDownRefresh();
  await phone.says(t.ticket);
  assert.ok(!phone.words.includes(t.withdraw));
});

for (const [what, changes, told] of [
  ["a seat of a postponed activity is kept", { phase: "postponed", me: place("confirmed") }, (t, c) => [t.postponed_note, c.act_postponed, t.withdraw]],
  ["an activity that is over asks nothing of who was there", { phase: "ended", starts_at: "2026-06-16T15:00:00+08:00", ends_at: "2026-06-16T17:00:00+08:00", me: place("confirmed") }, (_t, c) => [c.act_ended, c.act_confirmed]],
  ["a full activity without a waitlist says that it is full", { seats_left: 0, waitlist_open: false }, (t) => [fill(t.seats_full, { seats: 300 })]],
  ["a waitlist is counted", { seats_left: 0, waitlist_length: 8 }, (t) => [fill(t.seats_waiting, { seats: 300, waiting: 8 })]],
])
  scene(what, DETAIL, shows(changes), async (phone) => {
    const { t, c } = phone.page.data;
    for (const words of told(t, c)) await phone.says(words);
    if (changes.phase) assert.ok(!phone.words.includes(t.confirmed_note));
  });
