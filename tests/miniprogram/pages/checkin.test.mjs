// The scanner of a gate: results, scanning without network, and what is sent afterwards.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { NOW } from "./answers.mjs";
import { HELD, HELD_BY, ROSTER, SEND, SESSION, camera, code, entry, fill, house, instant, kept, next, ready, roster, saved, sent, usual } from "./gate.mjs";
import { asked, at, on, scene, sound } from "./scene.mjs";
import { OFFLINE, held, refusal } from "./server.mjs";

const GATES = "packages/checkin/gates/index";
const SCANNER = "packages/checkin/scanner/index?id=a1";
const SCANS = "packages/checkin/scans/index?id=a1";

// Results

const EARLIER = { result: "ALREADY", at: instant(NOW - 120_000) };
const WORDS = { [code(2)]: EARLIER, [code(3)]: "WRONG_SESSION", [code(4)]: "CANCELLED", [code(5)]: "WAITLISTED", [code(6)]: "TOO_EARLY", [code(7)]: "BAD_SIGNATURE", [code(8)]: "NOT_FOUND" };

scene("each result is said in big words with what to do, and the next scan is one tap", SCANNER, { keep: HELD, answers: camera(...[1, 2, 3, 4, 5, 6, 7, 8].map(code), "只是一些字"), script: usual({ [SEND]: house(WORDS) }) }, async (phone, server) => {
  await ready(phone, server);
  const { t } = phone.page.data;
  const told = [
    ["OK", "good", t.kept_server], ["ALREADY", "bad", "6月17日 08:58 进的场，登记在“西门”。如果不是同一个人"], ["WRONG_SESSION", "bad", t.wrong_session], ["CANCELLED", "bad", t.cancelled],
    ["WAITLISTED", "wait", t.waitlisted], ["TOO_EARLY", "wait", fill(t.too_early, { time: "6月17日 08:50" })], ["BAD_SIGNATURE", "bad", t.bad_signature], ["NOT_FOUND", "bad", t.not_found],
  ];
  for (const [word, tone, sentence] of told) {
    await next(phone, t[word]);
    await phone.says(sentence);
    assert.deepEqual([word, phone.page.data.shown.tone], [word, tone]);
  }
  await next(phone, t.BAD_SIGNATURE);
  assert.equal(server.to(SEND).length, 8, "what cannot be a ticket is not sent");
  assert.deepEqual(plain(sent(server)[0]), { nonce: sent(server)[0].nonce, ticket: code(1), scanned_at: instant(NOW), direction: "in", admitted: false });
  assert.equal(new Set(sent(server).map(({ nonce }) => nonce)).size, 8);
  await phone.says(fill(t.people, { count: 1 }));
  assert.ok(kept(phone).every(({ ticket }) => ticket === ""), "no code stays on the phone");
});

scene("a sound and a shake tell good from bad without looking", SCANNER, { keep: HELD, answers: camera(code(1), code(1)), script: usual(), before: (window) => (window.navigator.vibrate = (ms) => (window.__shaken ??= []).push(ms)) }, async (phone, server) => {
  await ready(phone, server);
  await next(phone, phone.page.data.t.OK);
  await next(phone, phone.page.data.t.ALREADY);
  assert.deepEqual(plain(phone.window.__played).map((src) => src.split("/").at(-1)), ["good.wav", "bad.wav"]);
  assert.ok(phone.window.__shaken[0] < 100 && phone.window.__shaken[1] > 100);
});

scene("out and in again are scanned by a switch", SCANNER, { keep: HELD, answers: camera(code(1), code(1), code(1), code(1)), script: usual() }, async (phone, server) => {
  await ready(phone, server);
  const { t } = phone.page.data;
  await next(phone, t.OK);
  await phone.tap(phone.named(t.out));
  await next(phone, t.OK_out);
  await next(phone, t.ALREADY_out);
  await phone.tap(phone.named(t.in));
  await next(phone, t.OK);
  assert.deepEqual(sent(server).map(({ direction }) => direction), ["in", "out", "out", "in"]);
});

scene("a camera that WeChat may not use is told; a scanner that is left changes nothing", SCANNER, { keep: HELD, answers: { scan: () => null }, script: usual() }, async (phone, server) => {
  await ready(phone, server);
  const { t } = phone.page.data;
  await phone.tapWords(t.scan);
  await phone.says(t.first);
  phone.shell.ask = async () => {
    throw { errMsg: "auth deny" };
  };
  await phone.tapWords(t.scan);
  await phone.says(t.denied);
});

// Without network

const AWAY = { [SEND]: OFFLINE, [SESSION]: OFFLINE, [ROSTER]: OFFLINE };
const BACK = (words) => ({ ...usual({ [SEND]: house(words) }) });
const ENTRIES = [entry(1, { people: 3 }), entry(2, { result: "WAITLISTED" }), entry(3, { result: "CANCELLED" }), entry(4, { in_at: instant(NOW - 300_000) }), entry(5), entry(6)];

scene("without network the roster answers, admissions wait on the phone, and the server learns each once", SCANNER, { keep: HELD, answers: camera(...[1, 1, 2, 3, 4, 9, 5].map(code)), script: usual({}, ENTRIES) }, async (phone, server) => {
  await ready(phone, server);
  const { t } = phone.page.data;
  server.will(AWAY);
  await next(phone, t.OK);
  for (const words of [t.kept_phone, fill(t.ok_people, { count: 3 }), "韦1*"]) await phone.says(words);
  await phone.comes(t.away);
  await next(phone, t.ALREADY);
  await phone.says(t.kept_nowhere);
  await next(phone, t.WAITLISTED);
  await next(phone, t.CANCELLED);
  await next(phone, t.ALREADY);
  await phone.says("6月17日 08:55");
  await next(phone, t.NOT_FOUND);
  await phone.says(t.not_found_here);
  await phone.tapWords(t.admit);
  await phone.says(t.OK);
  await next(phone, t.OK);
  await phone.says(fill(t.unsent, { count: 3 }));
  await phone.says(t.counted_here);
  assert.deepEqual(kept(phone).map(({ ticket, local, answer }) => [ticket, local, answer]), [[code(1), "OK", null], [code(9), "OK", null], [code(5), "OK", null]]);
  const before = sent(server).length;
  server.will(BACK({ [code(9)]: "WRONG_SESSION" }));
  await phone.comes(t.unsent_none, 8_000);
  assert.deepEqual(sent(server).slice(before).map(({ ticket, admitted }) => [ticket, admitted]), [[code(1), true], [code(9), true], [code(5), true]], "the people were let in without asking");
  assert.equal(sent(server)[0].nonce, sent(server)[before].nonce, "the lost first attempt is repeated under its nonce");
  await phone.says(fill(t.conflicts, { count: 1 }));
  await phone.tapWords(t.list);
  await on(phone, SCANS.split("?")[0]);
  await phone.says(fill(phone.page.data.t.conflict_in, { word: t.WRONG_SESSION }));
  await phone.says(phone.page.data.t.known);
  assert.ok(!phone.words.includes(phone.page.data.t.saved));
});

scene("the result that is shown becomes the server's, with another sound where it differs", SCANNER, { keep: HELD, answers: camera(code(1), code(2)), script: usual() }, async (phone, server) => {
  await ready(phone, server);
  const { t } = phone.page.data;
  server.will(AWAY);
  await next(phone, t.OK);
  await phone.says(t.kept_phone);
  server.will(BACK({}));
  await phone.comes(t.kept_server, 8_000);
  server.will(AWAY);
  await next(phone, t.kept_phone);
  server.will(BACK({ [code(2)]: "CANCELLED" }));
  await phone.comes(t.cancelled, 8_000);
  assert.deepEqual(plain(phone.window.__played).map((src) => src.split("/").at(-1)), ["good.wav", "good.wav", "bad.wav"]);
});

scene("the network's return is noticed at once", SCANNER, { keep: HELD, answers: camera(code(1)), script: usual() }, async (phone, server) => {
  await ready(phone, server);
  server.will(AWAY);
  await next(phone, phone.page.data.t.OK);
  await phone.comes(phone.page.data.t.away);
  server.will(BACK({}));
  phone.window.dispatchEvent(new phone.window.Event("online"));
  await phone.says(phone.page.data.t.unsent_none);
});

scene("many saved scans go in batches of two hundred, each once", SCANNER, { keep: { ...HELD, "checkin-scans-a1": Array.from({ length: 450 }, (_, n) => saved(n)) }, script: usual() }, async (phone, server) => {
  await phone.comes(phone.page.data.t.unsent_none);
  assert.deepEqual(server.to(SEND).map(({ body }) => body.scans.length), [200, 200, 50]);
  assert.equal(new Set(sent(server).map(({ nonce }) => nonce)).size, 450);
});

scene("a scan that the server does not take holds up no other", SCANNER, { keep: { ...HELD, "checkin-scans-a1": [1, 2, 3].map((n) => saved(n)) }, script: usual({
  [SEND]: (() => {
    const answer = house();
    return (request) => (request.body.scans.some(({ ticket }) => ticket === code(2)) ? refusal(422, "invalid", "这一条不对。") : answer(request));
  })(),
}) }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.comes(t.unsent_none);
  await phone.says(fill(t.conflicts, { count: 1 }));
  assert.deepEqual(kept(phone).map(({ answer, refusal: why }) => [answer?.result ?? null, why]), [["OK", ""], [null, "这一条不对。"], ["OK", ""]]);
  assert.equal(server.to(SEND).length, 4);
});

scene("what a closed program had saved is sent when it is opened again", SCANNER, { keep: { ...HELD, "checkin-scans-a1": [saved(1), saved(2, { local: null })] }, script: usual(AWAY) }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.comes(t.away_bare);
  await phone.says(fill(t.unsent, { count: 2 }));
  server.will(usual());
  await phone.tapWords(t.send);
  await phone.says(t.unsent_none);
  assert.deepEqual(sent(server).slice(-2).map(({ nonce }) => nonce), ["n-1", "n-2"]);
});

scene("without network and roster nobody is turned away for good: the staff decides, the server checks later", SCANNER, { keep: HELD, answers: camera(code(1), code(2), code(2)), script: usual(AWAY) }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.comes(t.away_bare);
  await next(phone, t.UNCHECKED);
  assert.ok(!kept(phone)?.length, "who is not let in is not stored");
  await next(phone, t.UNCHECKED);
  await phone.tapWords(t.admit);
  await phone.says(t.OK);
  await next(phone, t.ALREADY);
  server.will(usual());
  await phone.comes(t.unsent_none, 8_000);
  assert.deepEqual(sent(server).slice(-1).map(({ ticket }) => ticket), [code(2)]);
});

const REFUSING = (window) => {
  window.Storage.prototype.setItem = () => {
    throw new window.Error("full");
  };
};

scene("where storage refuses, scans are held in memory, said so, and sent", SCANNER, { keep: HELD, before: REFUSING, answers: camera(code(1)), script: usual() }, async (phone, server) => {
  await ready(phone, server);
  const { t } = phone.page.data;
  server.will(AWAY);
  await next(phone, t.OK);
  await phone.says(t.memory);
  await phone.says(fill(t.unsent, { count: 1 }));
  server.will(BACK({}));
  await phone.comes(t.unsent_none, 8_000);
  assert.equal(sent(server).at(-1).ticket, code(1));
});

scene("a roster with a missing line is not used, and the old one stays", SCANNER, { keep: HELD, script: usual() }, async (phone, server) => {
  await ready(phone, server);
  const { t } = phone.page.data;
  await phone.says(fill(t.roster, { count: 3, time: "6月17日 08:59" }));
  const whole = roster(entry(1), entry(2), entry(3), entry(4));
  server.will({ [ROSTER]: { ...whole, entries: whole.entries.slice(1) } });
  await phone.tapWords(t.update);
  await phone.says(t.broken);
  await phone.says(fill(t.roster, { count: 3, time: "6月17日 08:59" }));
  server.will({ [ROSTER]: whole });
  await phone.tapWords(t.update);
  await phone.says(t.updated);
  await phone.says(fill(t.roster, { count: 4, time: "6月17日 08:59" }));
});

scene("a revoked grant is told at the next scan, which admits nobody; what is unsent stays and is told", SCANNER, { keep: { ...HELD, "checkin-scans-a1": [] }, answers: camera(code(1), code(2)), script: usual() }, async (phone, server) => {
  await ready(phone, server);
  const { t } = phone.page.data;
  server.will(AWAY);
  await next(phone, t.OK);
  await phone.says(fill(t.unsent, { count: 1 }));
  server.will({ [SEND]: refusal(403, "grant_ended", "授权结束了。"), [HELD_BY]: { items: [] } });
  await phone.comes(t.ended, 8_000);
  for (const words of [t.ended_note, fill(t.ended_unsent, { count: 1 })]) await phone.says(words);
  assert.ok(!phone.words.includes(t.next), "nobody scans without a grant");
  assert.equal(kept(phone).length, 1);
  assert.equal(phone.wx.getStorageSync("checkin-roster-a1"), "", "no names stay on the phone");
  await phone.tapWords(t.regrant);
  await on(phone, GATES);
  await phone.says(phone.page.data.t.ended);
  await phone.says(fill(phone.page.data.t.unsent, { count: 1 }));
  assert.ok(!phone.words.includes(phone.page.data.t.drop), "unsent scans cannot be removed");
  server.will(BACK({}));
  await phone.tapWords(phone.page.data.t.redeem_more);
  await phone.says(phone.page.data.t.no_grant);
  await on(phone, GATES);
});

scene("a slow server is not waited for at the door", SCANNER, { keep: HELD, answers: camera(code(1)), script: usual() }, async (phone, server) => {
  await ready(phone, server);
  const { t } = phone.page.data;
  const slow = held(null);
  server.will({ [SEND]: slow.answer });
  await phone.tap(phone.named(t.scan));
  await phone.says(t.checking);
  await phone.pass(4_500);
  await phone.says(t.kept_phone);
  slow.release();
});

// A program that is killed

const memory = (phone) => Object.fromEntries(["checkin-grants", "checkin-roster-a1", "checkin-scans-a1"].map((key) => [key, plain(phone.wx.getStorageSync(key))]));

scene("a program that is killed while it sends has lost nothing, and the server counts once", SCANNER, { keep: HELD, answers: camera(code(1)), script: usual() }, async (phone, server) => {
  await ready(phone, server);
  const answer = house();
  // The answer never comes back.
  server.will({ [SEND]: (request) => new Promise(() => answer(request)) });
  await phone.tap(phone.named(phone.page.data.t.scan));
  await asked(phone, server, SEND);
  const keep = memory(phone);
  assert.deepEqual(keep["checkin-scans-a1"].map(({ ticket }) => ticket), [code(1)]);
  const again = await at(SCANNER, { keep, script: usual({ [SEND]: answer }) });
  await again.phone.comes(again.phone.page.data.t.unsent_none);
  assert.equal(sent(again.server)[0].nonce, sent(server)[0].nonce);
  assert.equal(kept(again.phone)[0].answer.result, "OK");
  await sound(again.phone, again.server);
});
