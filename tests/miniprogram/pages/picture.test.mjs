// The picture of a question: shown where the question is, enlarged by a tap, loaded again after a failure.

import assert from "node:assert/strict";
import { CLOSED, MISTAKE, items, paper, question } from "./answers.mjs";
import { asked, scene } from "./scene.mjs";

const PICTURE = { url: "/pictures/questions/pic_1.jpg", alt: "红底白横杠的圆形标志", width: 800, height: 600 };
const SHOWN = "/phone/net/kepu.example.org/pictures/questions/pic_1.jpg";
const shown = question("q1", "single", { picture: PICTURE });
const image = (phone) => phone.$("wx-question-picture img");
const happen = (phone, type) => image(phone).dispatchEvent(new phone.window.Event(type));

const PAGES = {
  "packages/quiz/answer/index?id=att_1": { "GET /attempts/{ref}": paper(600_000, { questions: [shown, question("q2"), question("q3")] }) },
  "packages/quiz/result/index?id=att_1": { "GET /attempts/{ref}": { ...CLOSED, questions: [shown, ...CLOSED.questions.slice(1)] } },
  "packages/quiz/practice/index": { "POST /practice": { id: "p1", questions: [shown] } },
  "packages/quiz/mistakes/index": { "GET /me/mistakes": items({ ...MISTAKE, picture: PICTURE }) },
};

for (const [page, script] of Object.entries(PAGES))
  scene("shows the picture with its words and enlarges it", page, { script }, async (phone) => {
    const words = phone.page.data.c;
    await phone.until(() => image(phone), "a picture");
    assert.equal(image(phone).getAttribute("src"), SHOWN);
    assert.equal(image(phone).alt, PICTURE.alt);
    // The frame has the shape of the picture.
    assert.match(image(phone).closest("[style*=padding-top]").getAttribute("style"), /padding-top: ?75%/);
    await phone.says(words.picture_loading);
    happen(phone, "load");
    await phone.says(words.picture_enlarge);
    await phone.tap(phone.named(`${PICTURE.alt} ${words.picture_enlarge}`));
    assert.equal(phone.over(".wx-preview img").getAttribute("src"), SHOWN);
  });

scene("says what the picture shows when it does not come, and loads it again", "packages/quiz/answer/index?id=att_1", {
  script: PAGES["packages/quiz/answer/index?id=att_1"],
}, async (phone, server) => {
  const words = phone.page.data.c;
  await phone.until(() => image(phone), "a picture");
  happen(phone, "error");
  await phone.says(words.picture_failed);
  await phone.says(words.picture_says + PICTURE.alt);
  // An answer redraws the page, and the picture stays as it is.
  await phone.tap(phone.named("选项B"));
  await asked(phone, server, "PUT /attempts/{ref}/answers");
  await phone.says(words.picture_failed);
  await phone.tap(phone.named(`${PICTURE.alt} ${words.picture_failed}`));
  await phone.until(() => image(phone), "another try");
  assert.equal(image(phone).getAttribute("src"), `${SHOWN}?again=1`);
  happen(phone, "load");
  await phone.says(words.picture_enlarge);
});
