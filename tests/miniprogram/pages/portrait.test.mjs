// A picture of oneself on the page of the profile: what its owner sees and is told before others see it.

import assert from "node:assert/strict";
import { PROFILE } from "./answers.mjs";
import { asked, scene } from "./scene.mjs";
import { refusal } from "./server.mjs";

scene("whoever has no picture sees a person drawn, as on the board", "packages/mine/profile/index", { script: { "GET /me": { ...PROFILE, avatar_url: null } } }, async (phone) => {
  await phone.says("南宁市");
  assert.ok(phone.$(".avatar.avatar-none"), "the drawn person");
});

scene("a picture that waits for its check is shown to its owner alone, and says so", "packages/mine/profile/index", {
  script: { "GET /me": { ...PROFILE, avatar_state: "checking", avatar_preview_url: "/pictures/owner/ava_1/2/3.jpg" } },
}, async (phone) => {
  await phone.says(phone.page.data.t.avatar_waits);
  assert.match(phone.$("wx-image.avatar img, wx-image.avatar")?.outerHTML ?? "", /\/pictures\/owner\/ava_1\/2\/3\.jpg/);
});

for (const [state, word] of [["refused", "avatar_refused"], ["unchecked", "avatar_unchecked"], ["unreadable", "avatar_unreadable"]]) {
  scene(`a picture that is ${state} is told`, "packages/mine/profile/index", { script: { "GET /me": { ...PROFILE, avatar_state: state } } }, async (phone) => {
    await phone.says(phone.page.data.t[word]);
  });
}

let browser;
scene("a photo that the server does not read says why", "packages/mine/profile/index", {
  script: { "POST /me/avatar": refusal(422, "picture_kind_unsupported", "还不支持这种格式（例如 HEIC）。") },
  answers: { avatar: () => ({ file: new browser.Blob(["ftypheic"], { type: "image/heic" }) }) },
  before: (window) => { browser = window; },
}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.avatar);
  await phone.tap(phone.$(`wx-button[aria-label="${t.avatar}"]`));
  await asked(phone, server, "POST /me/avatar");
  await phone.says("还不支持这种格式（例如 HEIC）。");
});
