// A phone whose storage refuses, is full or is emptied: everything works, only nothing outlives the program.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CLOSED, paper } from "./answers.mjs";
import { PAGES } from "./pages.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE } from "./server.mjs";

const PAGE = "packages/quiz/answer/index?id=att_1";
const READ = "GET /attempts/{ref}";
const SAVE = "PUT /attempts/{ref}/answers";
const SUBMIT = "POST /attempts/{ref}/submission";

const refuse = (window, ...names) => {
  for (const name of names) {
    window.Storage.prototype[name] = () => {
      throw new window.Error(`${name} is refused`);
    };
  }
};
/** Each spoils the phone's storage before the program runs. */
const WAYS = {
  "refuses everything": (window) => refuse(window, "getItem", "setItem", "removeItem", "key", "clear"),
  "is full": (window) => refuse(window, "setItem"),
  "cannot be read": (window) => refuse(window, "getItem"),
};
const chosen = (phone) => plain(phone.page.data.shown.options).filter((one) => one.chosen).map((one) => one.key);
const pick = (phone, key) => phone.tap(phone.named(`选项${key}`));

for (const [address, endpoint, shown, setting = {}] of PAGES) {
  scene("shows all where storage refuses everything", address, { ...setting, before: WAYS["refuses everything"] }, async (phone, server) => {
    await asked(phone, server, endpoint);
    const { t } = phone.page.data;
    for (const words of typeof shown === "function" ? shown({ t }) : shown) await phone.says(words);
    assert.equal(server.to("POST /login").length <= 1, true, "one log-in serves all calls");
  });
}

for (const [way, before] of Object.entries(WAYS)) {
  scene(`where storage ${way} a tapped option is marked and sent, and the paper is handed in`, PAGE, { before }, async (phone, server) => {
    const { t } = phone.page.data;
    await phone.says("题目q1");
    await pick(phone, "B");
    assert.deepEqual(chosen(phone), ["B"]);
    assert.deepEqual((await asked(phone, server, SAVE)).body, { answers: { q1: ["B"] } });
    await phone.says(t.saved);
    server.will({ [READ]: CLOSED });
    await phone.tapWords(t.sheet);
    await phone.tapWords(t.finish);
    await phone.press(t.finish);
    await on(phone, "packages/quiz/result/index");
    assert.equal(server.to(SUBMIT).length, 1);
  });
}

scene("without network and storage the answer is held in memory, said so, and sent again", PAGE, { before: WAYS["is full"] }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("题目q1");
  server.will({ [SAVE]: OFFLINE });
  await pick(phone, "B");
  await phone.says(t.kept_open);
  assert.ok(!phone.words.includes(t.kept_here), "nothing is kept on this phone");
  server.will({ [SAVE]: null });
  await phone.comes(t.saved);
  assert.deepEqual(server.to(SAVE).at(-1).body, { answers: { q1: ["B"] } });
});

scene("read again in the same run, the paper still has what only memory held", "packages/quiz/round/index?id=k1", { before: WAYS["refuses everything"] }, async (phone, server) => {
  await phone.tapWords(phone.page.data.t.start);
  await phone.says("题目q1");
  server.will({ [SAVE]: OFFLINE });
  await pick(phone, "B");
  await phone.says(phone.page.data.t.kept_open);
  await phone.wx.navigateBack();
  server.will({ [SAVE]: null });
  const sent = server.to(SAVE).length;
  await phone.tapWords(phone.page.data.t.start);
  await phone.says("题目q2");
  assert.deepEqual((await asked(phone, server, SAVE, sent + 1)).body, { answers: { q1: ["B"] } });
});

scene("storage that is emptied in mid-paper loses neither the answer nor the log-in", PAGE, {}, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says("题目q1");
  server.will({ [SAVE]: OFFLINE });
  await pick(phone, "B");
  await phone.says(t.kept_here);
  phone.wx.clearStorageSync();
  phone.shell.program.hide();
  server.will({ [SAVE]: null, [READ]: paper(120_000) });
  phone.shell.program.show({ ...phone.shell.start, path: "" });
  await phone.comes(t.saved);
  assert.deepEqual(server.to(SAVE).at(-1).body, { answers: { q1: ["B"] } });
  assert.equal(server.to("POST /login").length, 1);
});

scene("size of type and language hold on a phone that keeps nothing", "packages/mine/settings/index", { before: WAYS["refuses everything"] }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.elder);
  await phone.tap(phone.$("[role=switch]") ?? phone.$("[aria-role=switch]"));
  await phone.until(() => phone.page.data.look.elder, "the elder look");
});
