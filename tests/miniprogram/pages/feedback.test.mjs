// Feedback about an activity: its ways in, one answer, and what was said before.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { NOW, lecture, place, ticket } from "./answers.mjs";
import { on, scene } from "./scene.mjs";
import { refusal } from "./server.mjs";

const PAGE = "packages/checkin/feedback/index?id=a1";
const GIVE = "POST /activities/{ref}/feedback";
const STATE = "GET /activities/{ref}/feedback";
const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const instant = (ms) => new Date(ms).toISOString();
const BEGUN = { starts_at: instant(NOW - 600_000), ends_at: instant(NOW + 6_600_000) };
const write = (phone, words) => phone.type("wx-textarea", words);

scene("a rating and words are sent under one key, and shown afterwards", PAGE, { script: { [GIVE]: [refusal(503, "database_away", "服务正忙。"), ({ body }) => ({ status: 201, body: { ...body, made_at: instant(NOW) } })] } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.send);
  await phone.says(t.rate_first);
  await phone.tapWords(t.four);
  await write(phone, " 讲得很清楚 ");
  await phone.tapWords(t.send);
  await phone.comes(t.thanks);
  await phone.says(fill(t.given, { rating: t.four }));
  await phone.says("讲得很清楚");
  assert.ok(!phone.words.includes(t.send));
  assert.deepEqual(server.to(GIVE).map(({ body }) => plain(body)), Array(2).fill({ rating: 4, text: "讲得很清楚" }));
  assert.equal(new Set(server.to(GIVE).map(({ key }) => key)).size, 1);
});

for (const [name, words] of [["feedback_refused", "这段话没有通过检查。"], ["not_attended", "签到参加了的人才能评价。"], ["feedback_given", "你已经评价过了。"]])
  scene(`a refusal is told in the server's words and the form stays: ${name}`, PAGE, { script: { [GIVE]: refusal(409, name, words) } }, async (phone) => {
    const { t } = phone.page.data;
    await phone.tapWords(t.one);
    await write(phone, "听不清");
    await phone.tapWords(t.send);
    await phone.says(words);
    assert.deepEqual([phone.page.data.rating, phone.page.data.text], ["1", "听不清"]);
  });

scene("what was said before is shown and cannot be said again", PAGE, { script: { [STATE]: { open: false, given: { rating: 5, text: "想听下一讲", made_at: instant(NOW) } } } }, async (phone) => {
  const { t } = phone.page.data;
  for (const words of [fill(t.given, { rating: t.five }), "想听下一讲"]) await phone.says(words);
  assert.ok(!phone.words.includes(t.send));
});

scene("an activity that one came to says so, leads to the feedback and is not given up", "packages/lectures/detail/index?id=a1", { script: { "GET /activities/{ref}": lecture("a1", { ...BEGUN, me: place("confirmed", { checked_in: true }) }) } }, async (phone) => {
  const { t, c } = phone.page.data;
  await phone.says(c.act_came);
  for (const words of [t.arrive, t.withdraw, t.confirmed_note]) assert.ok(!phone.words.includes(words), words);
  await phone.tapWords(t.rate);
  await on(phone, PAGE.split("?")[0]);
});

scene("the ticket of who was there leads to the feedback, that of who was not does not", "packages/lectures/ticket/index", { script: { "GET /me/tickets": { absences: null, past: [], items: [ticket("a1", { ...BEGUN, place: place("confirmed", { checked_in: true }) }), ticket("a2", BEGUN)] } } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("讲座a2");
  assert.deepEqual(plain(phone.page.data.rows).map(({ rates }) => rates), [true, false]);
  await phone.tap(phone.named(`${t.rate} 讲座a1`));
  await on(phone, PAGE.split("?")[0]);
});

scene("an activity that is over is found for 30 days, and leads to the feedback and the certificate", "packages/lectures/ticket/index", { script: { "GET /me/tickets": { absences: null, items: [], past: [ticket("a1", { ...BEGUN, place: place("confirmed", { checked_in: true }) })] } } }, async (phone) => {
  const { t } = phone.page.data;
  for (const words of [t.past, t.past_note, "讲座a1"]) await phone.says(words);
  assert.ok(!phone.words.includes(t.show), "a ticket of yesterday has no code");
  assert.ok(phone.named(`${t.certificate} 讲座a1`));
  await phone.tap(phone.named(`${t.rate} 讲座a1`));
  await on(phone, PAGE.split("?")[0]);
});
