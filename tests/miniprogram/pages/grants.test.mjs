// Grants on the gate's phone: redeemed, ended, renewed, removed.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { NOW } from "./answers.mjs";
import { GRANT, GRANT_CODE, HELD, HELD_BY, camera, entry, fill, instant, saved, sent, usual } from "./gate.mjs";
import { on, scene } from "./scene.mjs";
import { OFFLINE, refusal } from "./server.mjs";

const GATES = "packages/checkin/gates/index";
const SCANNER = "packages/checkin/scanner/index?id=a1";

scene("a grant is redeemed by scanning the organizer's code, and opens the scanner", "pages/mine/index", { answers: camera("https://x.example.cn/", GRANT_CODE), script: usual({ [HELD_BY]: [{ items: [] }, { items: [GRANT] }] }) }, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.gates);
  await on(phone, GATES);
  const { t } = phone.page.data;
  await phone.says(t.intro);
  await phone.tapWords(t.redeem);
  await phone.says(t.no_grant);
  assert.equal(server.to("POST /staff/grants").length, 0);
  await phone.tapWords(t.redeem);
  await on(phone, SCANNER.split("?")[0]);
  await phone.says("讲座a1");
  await phone.says("东门");
  assert.deepEqual(plain(server.to("POST /staff/grants")[0].body), { code: GRANT_CODE });
  await phone.wx.navigateBack();
  await phone.says(fill(t.until, { time: "6月17日 12:00" }));
});

for (const [status, name] of [[409, "grant_taken"], [404, "not_found"], [403, "grant_ended"]])
  scene(`a grant that is refused is told in the server's words: ${name}`, GATES, { answers: camera(GRANT_CODE), script: usual({ [HELD_BY]: { items: [] }, "POST /staff/grants": refusal(status, name, "服务器说的一句话。") }) }, async (phone) => {
    await phone.tapWords(phone.page.data.t.redeem);
    await phone.says("服务器说的一句话。");
    await on(phone, GATES);
  });

scene("with a new grant the unsent scans are sent", GATES, { keep: { "checkin-grants": [{ ...GRANT, ended: true }], "checkin-scans-a1": [saved(1)] }, answers: camera(GRANT_CODE), script: usual({ [HELD_BY]: { items: [] } }) }, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.redeem_more);
  await on(phone, SCANNER.split("?")[0]);
  await phone.comes(phone.page.data.t.unsent_none);
  assert.deepEqual(sent(server).map(({ nonce }) => nonce), ["n-1"]);
});

scene("a grant that is over is removed with its data after a question", GATES, { keep: { "checkin-grants": [{ ...GRANT, ended: true }], "checkin-scans-a1": [saved(1, { ticket: "", answer: { nonce: "n-1", result: "OK" } })], "checkin-roster-a1": { made_at: instant(NOW), opens_at: instant(NOW), entries: [entry(1)] } }, script: usual({ [HELD_BY]: { items: [] } }) }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.drop);
  await phone.press(t.drop_no);
  await phone.says("讲座a1");
  await phone.tapWords(t.drop);
  await phone.press(t.drop_yes);
  await phone.says(t.intro);
  assert.deepEqual(["checkin-roster-a1", "checkin-scans-a1"].map((key) => phone.wx.getStorageSync(key)), ["", ""]);
});

scene("a phone whose storage was emptied has its grants again; one that the server no longer knows has ended", GATES, { keep: { "checkin-grants": [{ ...GRANT, session: { id: "a0", title: "讲座a0" }, ended: false }] }, script: usual() }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("讲座a1");
  await phone.says(t.ended);
  assert.deepEqual(plain(phone.page.data.rows).map(({ id, over }) => [id, over]), [["a1", false], ["a0", true]]);
});

scene("without network the grants of this phone are shown", GATES, { keep: HELD, script: usual({ [HELD_BY]: OFFLINE }) }, async (phone) => {
  await phone.pass(3_000);
  await phone.says("讲座a1");
  assert.ok(!phone.words.includes(phone.page.data.t.ended));
});
