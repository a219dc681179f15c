// The way to a paper and from it: home, contest, rules, result, boards, practice, mistakes, the card.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CLOSED, CONTEST, ME, MISTAKE, STRANGER, WAITING, board, items, paper, question } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const contest = (me, changes = {}) => ({ ...CONTEST, ...changes, me: me && { ...ME, ...me } });
const BOARD = "GET /contests/{ref}/leaderboard";
const BEGIN = "POST /contests/{ref}/attempts";

// Home

scene("an open contest leads to it, and to its board", "pages/home/index", {}, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.left_today, { count: 2 }));
  const { c } = phone.page.data;
  await phone.says(`${fill(c.total, { score: 50 })}，${fill(c.place, { rank: 7 })}`);
  await phone.says(fill(c.behind, { score: 5 }));
  await phone.tapWords(t.start);
  await on(phone, "packages/quiz/round/index");
  assert.deepEqual(plain(phone.page.options), { id: "k1" });
  await phone.wx.navigateBack();
  await phone.tapWords(t.board);
  await on(phone, "packages/quiz/board/index");
});

scene("without a try left one may look", "pages/home/index", { script: { "GET /contests": items(contest({ attempts_left_today: 0 })) } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.none_left);
  await phone.tapWords(t.look);
  await on(phone, "packages/quiz/round/index");
});

scene("an open paper shows the time left, which runs, and is gone on with at once", "pages/home/index", { script: { "GET /contests": items(contest(WAITING(65_000))) } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.paper_open);
  await phone.says("1:05");
  await phone.pass(5_000);
  await phone.says("1:00");
  await phone.tapWords(t.go_on);
  await on(phone, "packages/quiz/answer/index");
  assert.deepEqual(plain(phone.page.options), { id: "att_1" });
  assert.equal(server.to(BEGIN).length, 0);
});

scene("when the time of the open paper is over home reads again", "pages/home/index", { script: { "GET /contests": [items(contest(WAITING(3_000))), items(CONTEST)] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("0:03");
  await phone.pass(4_000);
  assert.equal(server.to("GET /contests").length, 1, "not before the server has closed it");
  await phone.pass(4_000);
  await asked(phone, server, "GET /contests", 2);
  await phone.says(t.start);
  await phone.pass(20_000);
  assert.equal(server.to("GET /contests").length, 2);
});

scene("after its end a contest's board stays within reach as the final one", "pages/home/index", { script: { "GET /contests": items(contest({}, { state: "closed" }), contest({}, { id: "old", title: "旧的竞赛", state: "closed", closes_at: "2026-01-01T00:00:00+08:00" })), [BOARD]: board({ state: "final", version: 1 }), "GET /contests/{ref}": contest({}, { state: "closed" }) } }, async (phone) => {
  const { t, c } = phone.page.data;
  await phone.says(fill(c.total, { score: 50 }));
  assert.ok(!phone.words.includes("旧的竞赛"), "only the last one");
  await phone.tapWords(t.final_board);
  await on(phone, "packages/quiz/board/index");
  await phone.says(phone.page.data.t.final);
});

scene("whoever is not known sees what anyone may do", "pages/home/index", { script: { "GET /contests": items(contest(null)) } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.left_today, { count: 3 }));
  await phone.tapWords(t.practice);
  await on(phone, "packages/quiz/practice/index");
  await phone.wx.navigateBack();
  await phone.tapWords(t.mistakes);
  await on(phone, "packages/quiz/mistakes/index");
  await phone.wx.navigateBack();
  await phone.tapWords("活动a");
  await on(phone, "packages/programme/detail/index");
  await phone.wx.navigateBack();
  await phone.tap(phone.named(t.all_label ?? t.all));
  await on(phone, "pages/programme/index");
});

scene("home can be passed on and pulled down", "pages/home/index", {}, async (phone, server) => {
  await phone.says(CONTEST.title);
  const shared = await phone.shell.program.share("menu");
  assert.deepEqual([shared.card.title, shared.card.path], ["八桂科普大行动", "/pages/home/index"]);
  await phone.page.onPullDownRefresh();
  assert.equal(server.to("GET /contests").length, 2);
});

// The contest before a paper

scene("two taps begin one paper, under one key", "packages/quiz/round/index?id=k1", {}, async (phone, server) => {
  const { t } = phone.page.data;
  const slow = held({ status: 201, body: paper() });
  server.will({ [BEGIN]: slow.answer });
  await phone.says(t.start);
  const start = phone.named(t.start);
  await Promise.all([phone.tap(start), phone.tap(start)]);
  await asked(phone, server, BEGIN);
  slow.release();
  await on(phone, "packages/quiz/answer/index");
  assert.equal(server.to(BEGIN).length, 1);
  assert.equal(phone.stack.length, 2);
});

scene("an open paper is given back by the server", "packages/quiz/round/index?id=k1", { script: { "GET /contests/{ref}": contest(WAITING()), [BEGIN]: { status: 200, body: paper() } } }, async (phone) => {
  await phone.says(phone.page.data.t.paper_open);
  await phone.tapWords(phone.page.data.t.go_on);
  await on(phone, "packages/quiz/answer/index");
});

scene("without network nothing begins, and the next tap asks for the same paper", "packages/quiz/round/index?id=k1", { script: { [BEGIN]: OFFLINE } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.tapWords(t.start);
  await phone.comes(c.offline);
  server.will({ [BEGIN]: { status: 201, body: paper() } });
  await phone.tap(phone.named(t.start));
  await on(phone, "packages/quiz/answer/index");
  assert.equal(new Set(server.to(BEGIN).map(({ key }) => key)).size, 1);
});

scene("a refusal is said in the server's words", "packages/quiz/round/index?id=k1", { script: { [BEGIN]: refusal(409, "no_attempts_left", "你的答题次数已经用完。") } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.start);
  await phone.says("你的答题次数已经用完。");
  assert.equal(phone.page.route, "packages/quiz/round/index");
});

scene("whoever has not agreed is asked first, and is led on to the paper without another tap", "packages/quiz/round/index?id=k1", { script: { "GET /me": STRANGER } }, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.start);
  await on(phone, "packages/mine/consent/index");
  assert.equal(server.to(BEGIN).length, 0);
  const { t } = phone.page.data;
  await phone.tapWords(t.over_14);
  await phone.tapWords(t.agree);
  await on(phone, "packages/quiz/answer/index");
  assert.equal(server.to(BEGIN).length, 1);
  assert.deepEqual([...phone.stack].map(({ route }) => route), ["packages/quiz/round/index", "packages/quiz/answer/index"]);
});

scene("whoever does not agree begins nothing, also when agreeing later for another reason", "packages/quiz/round/index?id=k1", { script: { "GET /me": STRANGER } }, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.start);
  await on(phone, "packages/mine/consent/index");
  await phone.tapWords(phone.page.data.t.later);
  await on(phone, "packages/quiz/round/index");
  await phone.wx.navigateTo({ url: "/packages/mine/consent/index" });
  const { t } = phone.page.data;
  await phone.tapWords(t.over_14);
  await phone.tapWords(t.agree);
  await on(phone, "packages/quiz/round/index");
  await phone.pass(1_000);
  assert.equal(server.to(BEGIN).length, 0);
});

for (const [name, changes, words] of [
  ["upcoming", { state: "upcoming" }, "upcoming"],
  ["closed", { state: "closed" }, "closed"],
  ["without a try left", { me: { ...ME, attempts_left_today: 0 } }, "none_left"],
]) {
  scene(`${name} it offers practice instead`, "packages/quiz/round/index?id=k1", { script: { "GET /contests/{ref}": { ...CONTEST, ...changes } } }, async (phone) => {
    const { t } = phone.page.data;
    await phone.says(t[words]);
    assert.ok(!phone.words.includes(t.start));
    await phone.tapWords(t.practice);
    await on(phone, "packages/quiz/practice/index");
  });
}

const DIVISIONS = [{ key: "primary", title: "小学组" }, { key: "adult", title: "成人组" }];
const grouped = (me, rules = {}) => contest(me, { rules: { ...CONTEST.rules, divisions: DIVISIONS, ...rules } });

scene("in a contest with groups one is chosen before the first paper", "packages/quiz/round/index?id=k1", { script: { "GET /contests/{ref}": grouped({ best_score: null }) } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.start);
  await phone.says(t.choose_division);
  assert.equal(server.to(BEGIN).length, 0);
  await phone.tapWords("成人组");
  await phone.tap(phone.named(t.start));
  await on(phone, "packages/quiz/answer/index");
  assert.deepEqual(server.to(BEGIN)[0].body, { division: "adult" });
});

scene("the chosen group is shown and cannot be chosen again", "packages/quiz/round/index?id=k1", { script: { "GET /contests/{ref}": grouped({ division: "primary" }) } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.own_division, { title: "小学组" }));
  assert.ok(!phone.words.includes("成人组"));
  await phone.tap(phone.named(t.start));
  await on(phone, "packages/quiz/answer/index");
  assert.deepEqual(server.to(BEGIN)[0].body, {});
});

scene("before the warm-up is done it leads to practice", "packages/quiz/round/index?id=k1", { script: { "GET /contests/{ref}": contest({ warm_up_left: 4 }, { rules: { ...CONTEST.rules, warm_up_questions: 10 } }) } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.warm_up, { count: 10, left: 4 }));
  assert.ok(!phone.words.includes(t.start));
  await phone.tapWords(t.practice);
  await on(phone, "packages/quiz/practice/index");
});

scene("of several contests the open one is meant", "packages/quiz/round/index?id=", { script: { "GET /contests": items(contest(null, { id: "k9", state: "upcoming" }), CONTEST) } }, async (phone, server) => {
  await phone.says(CONTEST.title);
  assert.equal(server.to("GET /contests/{ref}")[0].path, "/contests/k1");
  await phone.tapWords(phone.page.data.t.all_rules);
  await on(phone, "packages/quiz/rules/index");
  await phone.says("竞赛的时间。");
});

// The result

scene("a result says what, how long and which place, with every key, and needs no share", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": CLOSED } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  const total = [fill(c.total, { score: 50 }), fill(c.behind, { score: 5 })];
  for (const words of [fill(t.right, { right: 1, count: 3 }), fill(t.rank_region, { rank: 7 }), fill(t.rank_city, { city: "南宁市", rank: 3 }), ...total, t.was_right, t.was_wrong, t.key, "因为如此。"]) await phone.says(words);
  assert.ok(!phone.words.includes(t.choose_city));
  assert.equal(server.to("POST /shares").length, 0);
  assert.deepEqual(phone.shell.asked.filter(([kind]) => kind === "share" || kind === "officialAccount"), []);
  await phone.tapWords(t.board);
  await on(phone, "packages/quiz/board/index");
});

scene("a result without a city asks for one", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": { ...CLOSED, ranks: { kind: "at_close", region: 7, city: null, city_name: null } } } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.choose_city);
  await on(phone, "packages/mine/profile/index");
});

scene("a place in a city that the reader has left names no city", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": { ...CLOSED, ranks: { kind: "at_close", region: 7, city: 3, city_name: null } } } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(fill(t.rank_city, { city: t.whole_city, rank: 3 }));
});

for (const [kind, words] of [["frozen", "冻结的榜上全区第 7 名"], ["final", "最终榜全区第 7 名"]]) {
  scene(`a result says that its ranks are those of the ${kind} board`, "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": { ...CLOSED, ranks: { kind, region: 7, city: 3, city_name: "南宁市" } } } }, async (phone) => {
    for (const said of [words, phone.page.data.t[`${kind}_note`]]) await phone.says(said);
    assert.ok(!phone.words.includes("交卷时"));
  });
}

scene("a first paper handed in during a freeze has no rank yet, and says why", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": { ...CLOSED, ranks: { kind: "frozen", region: null, city: null, city_name: null } } } }, async (phone) => {
  await phone.says(phone.page.data.t.frozen_note);
  assert.ok(!phone.words.includes(phone.page.data.t.choose_city));
});

scene("a paper that is still open is gone on with", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": paper() } }, async (phone) => {
  await on(phone, "packages/quiz/answer/index");
  await phone.says("题目q1");
});

scene("a question can be reported; a refused report is kept for another try", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": CLOSED, "POST /questions/{ref}/reports": [refusal(409, "reason_refused", "请换一种说法。"), { status: 202 }] } }, async (phone, server) => {
  const { c } = phone.page.data;
  await phone.says(c.report);
  await phone.tap(phone.all(".link").filter((one) => one.textContent === c.report)[1]);
  await phone.says(c.report_heading);
  await phone.type("wx-textarea", "  答案不对 ");
  await phone.tap(phone.named(c.report_send));
  await phone.says("请换一种说法。");
  await phone.tap(phone.named(c.report_send));
  await phone.says(c.report_thanks);
  const reports = server.to("POST /questions/{ref}/reports");
  assert.deepEqual(reports.map(({ path, body }) => [path, body.reason]), Array(2).fill(["/questions/q2/reports", "答案不对"]));
});

// Practice and mistakes

const verdict = (correct) => ({ question_id: "q7", chosen: ["A"], correct, key: ["B"], explanation: "因为乙。" });

scene("practice tells the key after each answer, and ends", "packages/quiz/practice/index", { script: { "POST /practice/{ref}/answers": [verdict(false), verdict(true)] } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.tapWords(t.check);
  await phone.says(t.choose_first);
  await phone.tap(phone.named("选项A"));
  await phone.tap(phone.named(t.check));
  await phone.says(t.was_wrong);
  await phone.says("因为乙。");
  await phone.tapWords(t.next);
  await phone.says("题目q8");
  await phone.tap(phone.named("选项B"));
  await phone.tap(phone.named("选项A"));
  await phone.tap(phone.named(t.check));
  await phone.says(t.was_right);
  assert.deepEqual(server.to("POST /practice/{ref}/answers").map(({ path, body }) => [path, body]), [
    ["/practice/p1/answers", { question_id: "q7", answer: ["A"] }], ["/practice/p1/answers", { question_id: "q8", answer: ["A", "B"] }],
  ]);
  await phone.tapWords(t.next);
  await phone.says(fill(t.done, { right: 1, count: 2 }));
  await phone.says(t.no_rank);
  server.will({ "POST /practice": { id: "p2", questions: [question("q5")] } });
  await phone.tapWords(t.again);
  await phone.says("题目q5");
  assert.equal(new Set(server.to("POST /practice").map(({ key }) => key)).size, 2);
  assert.ok(!phone.words.includes(c.loading));
});

scene("an answer that did not get through can be given again", "packages/quiz/practice/index", { script: { "POST /practice/{ref}/answers": OFFLINE } }, async (phone, server) => {
  const { t, c } = phone.page.data;
  await phone.says("题目q7");
  await phone.tap(phone.named("选项A"));
  await phone.tap(phone.named(t.check));
  await phone.comes(c.offline);
  server.will({ "POST /practice/{ref}/answers": verdict(true) });
  await phone.tap(phone.named(t.check));
  await phone.says(t.was_right);
});

scene("the book of mistakes goes on at its end, and leads to practice of its own", "packages/quiz/mistakes/index", { script: { "GET /me/mistakes": [{ items: [MISTAKE], next: "more" }, items({ ...MISTAKE, question_id: "q10", stem: "第二页的题", chosen: [], right_in_a_row: 0 })] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.halfway);
  await Promise.all([phone.page.onReachBottom(), phone.page.onReachBottom()]);
  await phone.says("第二页的题");
  await phone.says(t.no_answer);
  assert.equal(phone.words.split("第二页的题").length, 2, "each once");
  assert.equal(server.to("GET /me/mistakes")[1].query.after, "more");
  await phone.tapWords(t.practise);
  await on(phone, "packages/quiz/practice/index");
  assert.deepEqual((await asked(phone, server, "POST /practice")).body, { count: 5, from_mistakes: true });
});

// The card

scene("the card can be sent or not; nothing depends on it", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": CLOSED }, answers: { share: { to: null } } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.share);
  await on(phone, "packages/quiz/share/index");
  const card = phone.page.data.t;
  await phone.tapWords(card.send);
  await phone.until(() => phone.shell.asked.some(([kind]) => kind === "share"), "the share sheet");
  const [, shared] = phone.shell.asked.find(([kind]) => kind === "share");
  assert.deepEqual([shared.card.title, shared.card.path], ["我得了 10 分", "/pages/home/index?scene=s1"]);
  assert.equal(shared.card.imageUrl, "/phone/net/kepu.example.org/api/v1/shares/s1/card.png");
  assert.deepEqual(server.to("POST /shares").map(({ body }) => body), [{ kind: "quiz_result", attempt_id: "att_1" }]);
  assert.equal(phone.$("wx-image img").getAttribute("src"), "/phone/net/kepu.example.org/api/v1/shares/s1/image.png");
  await phone.tapWords(card.save);
  await phone.until(() => phone.over(".wx-preview"), "the picture");
  await phone.wx.navigateBack();
  await phone.tapWords(t.board);
  await phone.says("选手1");
});

scene("a poster that is not ready can be asked for again", "packages/quiz/share/index?id=att_1", { script: { "POST /shares": [refusal(409, "attempt_open", "交卷后再分享吧。"), { id: "s1", path: "p", title: "卡", image_url: "https://kepu.example.org/i.png", card_url: "https://kepu.example.org/c.png" }] } }, async (phone) => {
  await phone.says("交卷后再分享吧。");
  await phone.tapWords(phone.page.data.c.retry);
  await phone.says(phone.page.data.t.no_reward);
});

scene("pages lead on however deep one has gone", "packages/quiz/practice/index?from=mistakes", { script: { "POST /practice": { id: "p", questions: [] } } }, async (phone) => {
  for (let deep = 2; deep <= 10; deep += 1) phone.wx.navigateTo({ url: "/packages/quiz/mistakes/index" });
  await phone.tapWords(phone.page.data.t.practise);
  await on(phone, "packages/quiz/practice/index");
  assert.equal(phone.stack.length, 10);
});

scene("two quick taps open a page once", "pages/home/index", {}, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.board);
  const button = phone.named(t.board);
  await Promise.all([phone.tap(button), phone.tap(button)]);
  await on(phone, "packages/quiz/board/index");
  assert.equal(phone.stack.length, 2);
});
