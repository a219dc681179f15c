// Scenes that must fail, each by one fault that is planted in it; test_scenes.py runs them.

import { CAMPAIGN } from "./answers.mjs";
import { scene } from "./scene.mjs";

const HOME = "pages/home/index";

scene("a function in setData", HOME, {}, async (phone) => phone.page.setData({ f: () => 1 }));
scene("a megabyte in setData", HOME, {}, async (phone) => phone.page.setData({ f: "x".repeat(1024 * 1024) }));
scene("a rejection that nobody hears", HOME, {}, async (phone) => {
  phone.window.eval("void Promise.reject(new Error('lost'))");
});
scene("an API that is not there", HOME, {}, async (phone) => void phone.wx.noSuchThing);
scene("an answer of another shape", HOME, { script: { "GET /campaign": { ...CAMPAIGN, theme: 7 } } }, async (phone) => phone.says(CAMPAIGN.title.zh));
scene("a body that the server refuses", HOME, {}, async (phone) => {
  const request = { url: "https://kepu.example.org/api/v1/me", method: "PUT", data: { score: 100 }, header: { Authorization: "Bearer t" } };
  await phone.promised("request", request);
});
