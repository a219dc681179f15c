// Each built-in element and each function of wx has a tiny fixture of its own, and none is left out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { elements } from "./fixtures/elements.mjs";
import { moves } from "./fixtures/moves.mjs";
import { services } from "./fixtures/services.mjs";
import { onePage, open, plain, soon } from "./kit.mjs";
import { elements as tags } from "./tags.mjs";

const SECOND = { "q/index.wxml": "<view>二</view>", "q/index.ts": "Page({})" };
const APP = {
  ...onePage('<button id="b" data-n="1" bindtap="go">按</button><view id="moved" animation="{{anim}}"/>',
    "data: { anim: null }, go() { return this.does?.() }, onPullDownRefresh() { this.seen.push('pulled') }, onShareAppMessage() { return {} }"),
  "app.json": { requiredPrivateInfos: ["getFuzzyLocation"], pages: ["p/index", "t/index", "q/index"], tabBar: { list: [{ pagePath: "p/index", text: "一" }, { pagePath: "t/index", text: "二" }] } },
  "t/index.wxml": "<view>三</view>", "t/index.ts": "Page({})", ...SECOND,
};
const ANSWERS = {
  checkSession: { valid: true }, groupEnter: { encryptedData: "e", iv: "i" }, officialAccount: {}, close: {}, privacyContract: {},
  setting: { mainSwitch: true, itemSettings: { t: "accept" } }, subscribe: ({ tmplIds }) => ({ results: Object.fromEntries(tmplIds.map((id) => [id, "accept"])) }),
  shareFile: ({ file, name }) => ({ taken: file.size === 2 && name !== "" }),
  position: { latitude: 22.8, longitude: 108.3 }, map: {}, phoneCall: ({ phoneNumber }) => ({ called: phoneNumber !== "110" }),
  scan: { result: "r", scanType: "QR_CODE", path: "" },
};

for (const [tag, [wxml, check, script = "", options = {}]] of Object.entries(elements))
  test(`<${tag}>`, async () => {
    const phone = await open({ ...onePage(wxml, script), ...SECOND, "app.json": { pages: ["p/index", "q/index"] } }, options);
    await check(phone);
    assert.deepEqual([plain(phone.errors), plain(phone.missing)], [[], []]);
  });

const phone = await open(APP, { answers: ANSWERS, net: () => new Response('{"a":1}') });
lend(phone);

/** Gives a phone what jsdom lacks: a motor, pictures that are painted, sounds that play. */
function lend({ window }) {
  const canvas = window.HTMLCanvasElement.prototype;
  const paint = (text) => void (canvas.toBlob = (done, type) => done(new window.Blob([text], { type })));
  paint("x");
  canvas.getContext = () => ({ drawImage() {} });
  window.HTMLMediaElement.prototype.pause = () => undefined;
  Object.assign(phone, { shaken: [], pictures: [] });
  window.navigator.vibrate = (ms) => phone.shaken.push(ms);
  window.Image = class extends window.Image {
    constructor() {
      super();
      phone.pictures.push(this);
    }
  };
  // A temporary file of this text.
  phone.keep = async (text) => {
    paint(text);
    return (await phone.wx.canvasToTempFilePath({ canvas: phone.wx.createOffscreenCanvas() })).tempFilePath;
  };
}

/** Every fixture finds the phone as the first one did. */
async function tidied() {
  phone.shell.program.show({ ...phone.shell.start, path: "p/index", query: {} });
  phone.window.document.getElementById("wx-overlay").replaceChildren();
  phone.wx.clearStorageSync();
  await phone.wx.stopPullDownRefresh();
  await soon();
}

for (const [name, check] of Object.entries({ ...moves, ...services }))
  test(`wx.${name}`, async () => {
    await tidied();
    await check(phone);
    assert.deepEqual([plain(phone.errors), plain(phone.missing)], [[], []]);
  });

test("no element and no function of wx is without its fixture, and no fixture without its subject", async () => {
  assert.deepEqual(Object.keys(elements).sort(), (await tags()).sort());
  assert.deepEqual(Object.keys({ ...moves, ...services }).sort(), Object.keys(phone.wx).sort());
});
