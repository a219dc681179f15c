// Certificates: asking for one with a checked name, its picture, the album, the PDF and the public address.

import assert from "node:assert/strict";
import { plain } from "../../phone/kit.mjs";
import { CLOSED, SERIAL, certificate, offer, place, ticket } from "./answers.mjs";
import { asked, on, scene } from "./scene.mjs";
import { OFFLINE, refusal } from "./server.mjs";

const PAGE = "packages/mine/certificates/index";
const OWN = "GET /me/certificates";
const ISSUE = "POST /certificates";
const PICTURE = "GET /certificates/{serial}.png";
const fill = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);
const listed = (own, available = []) => ({ items: own, available });
const NONE = { [OWN]: listed([]) };
const type = async (phone, words) => {
  const [field] = phone.all("input");
  field.value = words;
  field.dispatchEvent(new phone.window.Event("input", { bubbles: true }));
  await phone.until(() => Object.values(plain(phone.page.data.names)).includes(words), "the typed name");
};

scene("result, record and the page of one's own lead to certificates", "packages/quiz/result/index?id=att_1", { script: { "GET /attempts/{ref}": CLOSED } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.certificate);
  await on(phone, PAGE);
  assert.equal(phone.page.options.source, "k1");
  await phone.wx.navigateTo({ url: "/packages/quiz/records/index?id=k1" });
  await phone.tapWords(phone.page.data.t.certificate);
  await on(phone, PAGE);
  assert.equal(phone.page.options.source, "k1");
  await phone.wx.switchTab({ url: "/pages/mine/index" });
  await phone.tapWords(phone.page.data.t.certificates);
  await on(phone, PAGE);
});

scene("without a certificate the page says how to get one", PAGE, { script: NONE }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says(t.none);
  await phone.tapWords(t.answer);
  await on(phone, "packages/quiz/round/index");
});

scene("what one came from stands first", `${PAGE}?source=k2`, { script: { [OWN]: listed([], [offer(), offer({ source: "k2", title: "另一场", sentence: "参加“另一场”。" })]) } }, async (phone) => {
  await phone.says("参加“另一场”。");
  assert.deepEqual(plain(phone.page.data.offers).map(({ source }) => source), ["k2", "k1"]);
});

scene("the name is shown, can be changed, and is confirmed before the certificate is issued", PAGE, { script: { [OWN]: [listed([], [offer()]), listed([certificate({ name: "韦晓妹" })])], [ISSUE]: { status: 201, body: certificate({ name: "韦晓妹" }) } } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.says(t.name_note);
  assert.equal(phone.all("input")[0].value, "韦小妹");
  await type(phone, " 韦晓妹 ");
  await phone.tapWords(t.take);
  await phone.says(fill(t.sure_what, { name: "韦晓妹" }));
  await phone.press(t.sure_yes);
  const { body } = await asked(phone, server, ISSUE);
  assert.deepEqual(plain(body), { kind: "quiz_score", source: "k1", name: "韦晓妹" });
  await asked(phone, server, PICTURE);
  await phone.says(fill(t.holder, { name: "韦晓妹" }));
  await phone.says(t.verify_note);
});

scene("who does not confirm the name asks for nothing, and an empty one is not sent", PAGE, { script: { [OWN]: listed([], [offer()]) } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.take);
  await phone.press(t.sure_no);
  await type(phone, "  ");
  await phone.tapWords(t.take);
  await phone.says(t.name_first);
  assert.equal(server.to(ISSUE).length, 0);
});

scene("a number is not offered as a name", PAGE, { script: { [OWN]: listed([], [offer({ name: "科普伙伴1234", named: false })]) } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.take);
  await phone.says(t.name_first);
  assert.equal(phone.all("input")[0].value, "");
});

scene("a refusal is said, and the offer stays", PAGE, { script: { [OWN]: listed([], [offer()]), [ISSUE]: refusal(409, "certificate_name_refused", "这个姓名没有通过内容检查。") } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.take);
  await phone.press(phone.page.data.t.sure_yes);
  await phone.says("这个姓名没有通过内容检查。");
  await phone.says(phone.page.data.t.take);
});

scene("the picture is read with one's own token, saved to the album, and sent as a PDF", PAGE, { script: { [OWN]: listed([certificate()]) } }, async (phone, server) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.show);
  const { headers, path } = await asked(phone, server, PICTURE);
  assert.equal(headers.authorization, "Bearer token-1");
  assert.equal(path, `/certificates/${SERIAL}.png`);
  await phone.tapWords(t.save);
  await phone.says(t.saved);
  await phone.tapWords(t.pdf);
  await asked(phone, server, "GET /certificates/{serial}.pdf");
  await phone.tapWords(t.send_pdf);
  await phone.tapWords(t.hide);
  await phone.says(t.show);
});

scene("the public address is copied", PAGE, { script: { [OWN]: listed([certificate()]) } }, async (phone) => {
  await phone.tapWords(phone.page.data.t.copy);
  await phone.says(phone.page.data.t.copied);
});

scene("a revoked certificate tells why and has no picture", PAGE, { script: { [OWN]: listed([certificate({ state: "revoked", state_text: "已作废", remark: "姓名写错", image_url: "", pdf_url: "" })]) } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("已作废");
  await phone.says(fill(t.remark, { remark: "姓名写错" }));
  assert.ok(!phone.words.includes(t.show));
});

scene("a picture that does not come is said", PAGE, { script: { [OWN]: listed([certificate()]), [PICTURE]: OFFLINE } }, async (phone) => {
  const { t, c } = phone.page.data;
  await phone.tapWords(t.show);
  await phone.says(c.offline);
  await phone.says(t.show);
});

scene("a ticket of an activity one came to leads to its certificate, another does not", "packages/lectures/ticket/index", { script: { "GET /me/tickets": { absences: null, past: [], items: [ticket("a1"), ticket("a2", { place: place("confirmed", { checked_in: true }) })] } } }, async (phone) => {
  const { t } = phone.page.data;
  await phone.says("讲座a2");
  assert.deepEqual(plain(phone.page.data.rows).map(({ came }) => came), [false, true]);
  await phone.tap(phone.named(`${t.certificate} 讲座a2`));
  await on(phone, PAGE);
  assert.equal(phone.page.options.source, "a2");
});

const ASKED = { privacyState: { needAuthorization: true, privacyContractName: "《隐私保护指引》" }, privacy: { agreed: false } };

scene("without the permission for the album the way to it is shown, and nothing is lost", PAGE, { script: { [OWN]: listed([certificate()]) }, answers: ASKED }, async (phone) => {
  const { t } = phone.page.data;
  await phone.tapWords(t.show);
  await phone.tapWords(t.save);
  await phone.says(t.refused_what);
  await phone.press(t.later);
  await phone.says(t.verify_note);
  await phone.tapWords(t.save);
  await phone.says(t.refused_what);
  await phone.press(t.settings);
  await phone.says(t.save);
});
