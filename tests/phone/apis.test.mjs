// wx by families: answers, refusals and WeChat's own limits.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "./clock.mjs";
import { onePage, open, plain, soon } from "./kit.mjs";

const PAGE = onePage('<button id="b" bindtap="go">按</button>', "go() { return this.does?.() }");
const failed = (promise) => promise.then(() => "ok", (refusal) => plain(refusal));
const title = (phone) => phone.window.document.getElementById("wx-title").textContent;

test("a call with callbacks gives no promise; success and complete both hear the answer", async () => {
  const phone = await open(PAGE);
  const heard = [];
  const given = phone.wx.setNavigationBarTitle({ title: "一", success: (r) => heard.push(r.errMsg), complete: () => heard.push("complete") });
  await soon();
  assert.deepEqual([given, heard, title(phone)], [undefined, ["setNavigationBarTitle:ok", "complete"], "一"]);
});

test("request sends JSON through the forwarder and takes any status for a success", async () => {
  const net = () => new Response('{"code":"full"}', { status: 409, headers: { "Retry-After": "3" } });
  const phone = await open(PAGE, { net });
  const got = await phone.promised("request", { url: "https://kepu.example.org/api/v1/x?y=1", method: "post", data: { a: "一" }, header: { Authorization: "t", Referer: "no" } });
  const [url, init] = phone.calls[0];
  assert.deepEqual([url, init.method, init.body], ["/phone/net/kepu.example.org/api/v1/x?y=1", "POST", '{"a":"一"}']);
  assert.deepEqual(plain(init.headers), { authorization: "t", "content-type": "application/json" });
  assert.deepEqual([got.statusCode, plain(got.data), got.header["retry-after"], got.errMsg], [409, { code: "full" }, "3", "request:ok"]);
});

test("request puts a GET's data into the address, forms into the body, and leaves words as they are", async () => {
  const phone = await open(PAGE, { net: () => new Response("no json") });
  const got = await phone.promised("request", { url: "https://h.example.org/a?b=1", data: { c: "一 二" } });
  await phone.promised("request", { url: "https://h.example.org", method: "POST", header: { "Content-Type": "application/x-www-form-urlencoded" }, data: { c: "&" } });
  assert.deepEqual([phone.calls[0][0], got.data], ["/phone/net/h.example.org/a?b=1&c=%E4%B8%80%20%E4%BA%8C", "no json"]);
  assert.deepEqual([phone.calls[1][0], phone.calls[1][1].body], ["/phone/net/h.example.org/", "c=%26"]);
});

test("request refuses http, hosts that are not on the list, and methods that WeChat does not know", async () => {
  const phone = await open(PAGE, { net: () => new Response("", { status: 403, headers: { "X-Phone-Refused": "domain" } }) });
  assert.match((await failed(phone.promised("request", { url: "http://kepu.example.org/" }))).errMsg, /^request:fail url not in domain list$/);
  assert.deepEqual(await failed(phone.promised("request", { url: "https://other.example.org/" })), { errno: 600002, errMsg: "request:fail url not in domain list" });
  assert.match((await failed(phone.promised("request", { url: "https://kepu.example.org/", method: "PATCH" }))).errMsg, /PATCH is not supported/);
});

test("ten requests go at once and the eleventh waits", async () => {
  const gates = [];
  const phone = await open(PAGE, { net: () => new Promise((resolve) => gates.push(() => resolve(new Response("{}")))) });
  const all = Array.from({ length: 11 }, () => phone.promised("request", { url: "https://h.example.org/" }));
  await soon();
  assert.equal(phone.calls.length, 10);
  gates[0]();
  await soon();
  assert.equal(phone.calls.length, 11);
  gates.forEach((open) => open());
  assert.equal((await Promise.all(all)).length, 11);
});

test("a request ends by abort, by its time, or with the line", async () => {
  const net = (_url, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const phone = await open(PAGE, { net });
  const heard = [];
  const fail = ({ errMsg }) => heard.push(errMsg);
  phone.wx.request({ url: "https://h.example.org/", fail }).abort();
  phone.wx.request({ url: "https://h.example.org/", timeout: 5, fail });
  await soon(40);
  phone.window.fetch = async () => { throw new phone.window.TypeError("gone"); };
  phone.wx.request({ url: "https://h.example.org/", fail });
  await soon();
  assert.deepEqual(heard, ["request:fail abort", "request:fail timeout", "request:fail errcode:-102 cronet_error_code:-102 error_msg:net::ERR_CONNECTION_REFUSED"]);
});

test("what the forwarder refuses is a failure in WeChat's words", async () => {
  const phone = await open(PAGE, { net: (url) => new Response("", { status: 504, headers: { "X-Phone-Refused": url.split("/").at(-1) } }) });
  assert.deepEqual(await failed(phone.promised("request", { url: "https://h.example.org/timeout" })), { errno: 5, errMsg: "request:fail timeout" });
  assert.deepEqual(await failed(phone.promised("downloadFile", { url: "https://h.example.org/size" })), { errno: 600000, errMsg: "downloadFile:fail exceed max data size" });
});

test("a request that is still under way five seconds after the mini-program left is interrupted, not one that it came back to", async () => {
  const clock = new Clock();
  const net = (_url, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const phone = await open(PAGE, { net, clock });
  const heard = [];
  phone.wx.request({ url: "https://h.example.org/", fail: ({ errMsg }) => heard.push(errMsg) });
  phone.shell.program.hide();
  await phone.pass(4000);
  phone.shell.program.show({ ...phone.shell.start });
  await phone.pass(4000);
  assert.deepEqual(heard, []);
  phone.shell.program.hide();
  await phone.pass(5000);
  assert.deepEqual(heard, ["request:fail interrupted"]);
});

test("uploadFile sends a temporary file as a form", async () => {
  const phone = await open(onePage('<button id="b" open-type="chooseAvatar" bindchooseavatar="see"/>'), {
    answers: { avatar: () => ({ file: new phone.window.Blob(["abc"], { type: "image/png" }) }) }, net: () => new Response("kept", { status: 201 }),
  });
  await phone.tap("#b");
  const got = await phone.promised("uploadFile", { url: "https://h.example.org/p", filePath: phone.seen[0].detail.avatarUrl, name: "file", formData: { a: 1 }, header: { "Content-Type": "x" } });
  const { body, headers } = phone.calls[0][1];
  assert.deepEqual([got.data, got.statusCode, body.get("a"), body.get("file").size, headers.has("content-type")], ["kept", 201, "1", 3, false]);
  assert.match((await failed(phone.promised("uploadFile", { url: "https://h.example.org/p", filePath: "http://tmp/9.png", name: "f" }))).errMsg, /file not found/);
});

test("storage keeps types, belongs to a person and has WeChat's limits", async () => {
  const phone = await open(PAGE);
  const { wx } = phone;
  wx.setStorageSync("a", { n: [1, null] });
  await wx.setStorage({ key: "b", data: 0 });
  phone.window.localStorage.setItem("mp:other:a", '{"value":1}');
  assert.deepEqual([plain(wx.getStorageSync("a")), wx.getStorageSync("b"), wx.getStorageSync("c")], [{ n: [1, null] }, 0, ""]);
  assert.deepEqual(plain(wx.getStorageInfoSync()).keys.sort(), ["a", "b"]);
  assert.match((await failed(wx.getStorage({ key: "c" }))).errMsg, /data not found/);
  assert.throws(() => wx.setStorageSync("big", "x".repeat(1100000)), /entry size limit/);
  wx.clearStorageSync();
  assert.deepEqual([wx.getStorageSync("a"), phone.window.localStorage.length], ["", 1]);
});

test("login, session and group come from the phone, refusals with their numbers", async () => {
  const phone = await open(PAGE, { answers: { checkSession: { valid: false }, groupEnter: { refusal: { errCode: 40097, errMsg: "invalid args" } } } });
  assert.equal((await phone.promised("login")).code, "code-1");
  assert.match((await failed(phone.wx.checkSession())).errMsg, /checkSession:fail session time out/);
  assert.deepEqual(await failed(phone.promised("getGroupEnterInfo")), { errCode: 40097, errMsg: "getGroupEnterInfo:fail invalid args" });
});

test("a toast goes by itself, loading stays until it is hidden", async () => {
  const phone = await open(PAGE);
  await phone.wx.showLoading({ title: "加载中" });
  assert.equal(phone.over("[role=status]").textContent, "加载中");
  await phone.wx.hideLoading();
  await phone.wx.showToast({ title: "好", duration: 5 });
  assert.equal(phone.over("[role=status]").textContent, "好");
  await soon(20);
  assert.equal(phone.over("[role=status]"), null);
});

test("a dialog answers what was pressed, an action sheet its place", async () => {
  const phone = await open(PAGE);
  const asked = phone.wx.showModal({ title: "问", content: "真的？", confirmText: "是的" });
  await phone.press("是的");
  assert.deepEqual(plain(await asked), { confirm: true, cancel: false, errMsg: "showModal:ok" });
  const edited = phone.wx.showModal({ editable: true, content: "旧" });
  phone.over("textarea").value = "新";
  await phone.press("确定");
  assert.equal((await edited).content, "新");
  const sheet = phone.wx.showActionSheet({ itemList: ["甲", "乙"] });
  await phone.press("乙");
  assert.equal((await sheet).tapIndex, 1);
  const left = failed(phone.wx.showActionSheet({ itemList: ["甲"] }));
  await phone.press("取消");
  assert.match((await left).errMsg, /showActionSheet:fail cancel/);
  assert.match((await failed(phone.wx.showModal({ confirmText: "五个字太长" }))).errMsg, /4 Chinese characters/);
});

const subscribing = async (does) => {
  const phone = await open(PAGE, { answers: { subscribe: ({ tmplIds }) => ({ results: Object.fromEntries(tmplIds.map((id) => [id, "accept"])) }) }, net: () => new Response("{}") });
  const answers = [];
  const ask = () => phone.wx.requestSubscribeMessage({ tmplIds: ["t1"], success: (r) => answers.push(r.t1), fail: (r) => answers.push(r.errMsg) });
  phone.page.does = () => does(phone, ask);
  await phone.tap("#b");
  await soon(40);
  return answers;
};
const NOT_TAPPED = ["requestSubscribeMessage:fail can only be invoked by user TAP gesture."];

test("the subscription sheet opens in a tap, after awaiting, in an answer that the tap asked for", async () => {
  assert.deepEqual(await subscribing((_phone, ask) => ask()), ["accept"]);
  assert.deepEqual(await subscribing(async (_phone, ask) => { await null; ask(); }), ["accept"]);
  assert.deepEqual(await subscribing((phone, ask) => phone.wx.request({ url: "https://h.example.org/", success: ask })), ["accept"]);
  assert.deepEqual(await subscribing(async (phone, ask) => { await phone.wx.getSetting(); ask(); }), ["accept"]);
});

test("it does not open after a timer, nor without a tap", async () => {
  assert.deepEqual(await subscribing((_phone, ask) => setTimeout(ask, 1)), NOT_TAPPED);
  const phone = await open(PAGE);
  assert.equal((await failed(phone.wx.requestSubscribeMessage({ tmplIds: ["t"] }))).errMsg, NOT_TAPPED[0]);
  assert.equal((await failed(phone.wx.requestSubscribeMessage({ tmplIds: ["1", "2", "3", "4", "5", "6"] }))).errCode, 20003);
});

test("the privacy contract is asked for before private data, by WeChat or by the page", async () => {
  const answers = { privacyState: { needAuthorization: true, privacyContractName: "《指引》" }, privacy: { agreed: true }, agreePrivacy: {} };
  const phone = await open(onePage('<button id="yes" open-type="agreePrivacyAuthorization" bindagreeprivacyauthorization="see">同意</button>'), { answers });
  assert.equal((await phone.promised("getPrivacySetting")).needAuthorization, true);
  await phone.wx.setClipboardData({ data: "x" });
  assert.ok(phone.shell.asked.some(([kind]) => kind === "privacy"));
  let resolve;
  phone.wx.onNeedPrivacyAuthorization((given, { referrer }) => { resolve = given; assert.equal(referrer, "getClipboardData"); });
  const cheated = phone.wx.getClipboardData();
  await soon();
  resolve({ event: "agree", buttonId: "yes" });
  assert.deepEqual(await failed(cheated), { errno: 104, errMsg: "getClipboardData:fail privacy permission is not authorized" });
  const honest = phone.wx.getClipboardData();
  await soon();
  await phone.tap("#yes");
  resolve({ event: "agree", buttonId: "yes" });
  assert.deepEqual([(await honest).data, phone.seen.length], ["x", 1]);
});

test("settings list what was kept for always", async () => {
  const phone = await open(PAGE, { answers: { setting: { mainSwitch: true, itemSettings: { t: "reject" } } } });
  assert.deepEqual(plain((await phone.wx.getSetting({ withSubscriptions: true })).subscriptionsSetting), { mainSwitch: true, itemSettings: { t: "reject" } });
  assert.equal((await phone.wx.getSetting()).subscriptionsSetting, undefined);
});

test("a position needs the declaration in app.json and the person's permission", async () => {
  const undeclared = await open(PAGE);
  assert.match((await failed(undeclared.wx.getFuzzyLocation())).errMsg, /^getFuzzyLocation:fail the api need to be declared in the requiredPrivateInfos/);
  assert.deepEqual(undeclared.shell.asked, []);
  const settings = { ...PAGE["app.json"], requiredPrivateInfos: ["getFuzzyLocation"], permission: { "scope.userFuzzyLocation": { desc: "看看离你多远" } } };
  const phone = await open({ ...PAGE, "app.json": settings }, { answers: { position: () => null } });
  assert.match((await failed(phone.wx.getFuzzyLocation({ type: "gcj02" }))).errMsg, /^getFuzzyLocation:fail auth deny$/);
  assert.deepEqual(plain(phone.shell.asked.at(-1)), ["position", { type: "gcj02", purpose: "看看离你多远" }]);
});

test("scanning answers the code, or that it was left", async () => {
  const phone = await open(PAGE, { answers: { scan: ({ onlyFromCamera }) => (onlyFromCamera ? null : { result: "r", scanType: "WX_CODE", path: "pages/a?scene=1" }) } });
  assert.equal((await phone.wx.scanCode()).path, "pages/a?scene=1");
  assert.match((await failed(phone.wx.scanCode({ onlyFromCamera: true, scanType: ["qrCode"] }))).errMsg, /^scanCode:fail cancel$/);
  for (const scanType of ["qrCode", ["qr"]]) assert.match((await failed(phone.wx.scanCode({ scanType }))).errMsg, /^scanCode:fail parameter error/);
});

test("a short vibration has one of three strengths", async () => {
  const phone = await open(PAGE);
  assert.equal((await phone.wx.vibrateShort({ type: "heavy" })).errMsg, "vibrateShort:ok");
  assert.equal((await failed(phone.wx.vibrateShort())).errMsg, "vibrateShort:fail style is not support");
});

test("a page shares by its button and by the menu, with what it says", async () => {
  const script = `onShareAppMessage({ from, target }) { return { title: from + (target ? target.dataset.k : ""), path: "/p/index?s=1", imageUrl: "/assets/a.png", promise: from === "menu" ? Promise.resolve({ title: "晚" }) : undefined } }, onShareTimeline() { return { query: "s=2" } }`;
  const phone = await open(onePage('<button id="b" data-k="7" open-type="share">享</button>', script), { answers: { share: { to: null } } });
  await phone.wx.showShareMenu({ withShareTicket: true });
  await phone.tap("#b");
  const [, shared] = phone.shell.asked.at(-1);
  assert.deepEqual(plain(shared.card), { title: "button7", path: "/p/index?s=1", imageUrl: "/phone/app/files/assets/a.png" });
  assert.deepEqual(plain([shared.timeline, shared.withShareTicket]), [{ title: "测试", path: "/p/index?s=2", imageUrl: "" }, true]);
  assert.equal((await phone.shell.program.share("menu")).card.title, "晚");
  assert.deepEqual(plain(phone.shell.program.menu()), { share: true, timeline: true });
  await phone.wx.hideShareMenu();
  assert.deepEqual(plain(phone.shell.program.menu()), { share: false, timeline: false });
});

test("a page that says nothing of sharing is not shared", async () => {
  const phone = await open(PAGE);
  assert.deepEqual([plain(phone.shell.program.menu()), await phone.shell.program.share("menu")], [{ share: false, timeline: false }, null]);
});

test("the phone tells what it is like", async () => {
  const phone = await open(PAGE);
  const { wx } = phone;
  assert.deepEqual([wx.getAppBaseInfo().fontSizeSetting, wx.getAppBaseInfo().theme, wx.getSystemInfoSync().windowWidth], [16, undefined, 0]);
  assert.deepEqual(plain(wx.getMenuButtonBoundingClientRect()), { width: 96, height: 44, top: 4, right: 1014, bottom: 48, left: 918 });
  assert.deepEqual([wx.canIUse("getSetting"), wx.canIUse("swiper"), wx.canIUse("bluetooth")], [true, true, false]);
  assert.equal(wx.getAccountInfoSync().miniProgram.appId, "touristappid");
  phone.window.__account = { appId: "wx1" };
  assert.equal(wx.getAccountInfoSync().miniProgram.appId, "wx1");
  assert.deepEqual(plain(await wx.getNetworkType()), { networkType: "wifi", errMsg: "getNetworkType:ok" });
});

test("profiles are closed: everybody is a WeChat user without a picture", async () => {
  const phone = await open(PAGE);
  assert.deepEqual([(await phone.wx.getUserProfile({ desc: "榜上用" })).userInfo.nickName, (await failed(phone.wx.getUserProfile())).errMsg.includes("desc")], ["微信用户", true]);
});

test("bars change by themselves", async () => {
  const phone = await open({ ...PAGE, "app.json": { pages: ["p/index"], tabBar: { list: [{ pagePath: "p/index", text: "一" }] } } });
  await phone.wx.setNavigationBarColor({ frontColor: "#000000", backgroundColor: "#ffffff" });
  await phone.wx.setTabBarBadge({ index: 0, text: "99" });
  await phone.wx.setTabBarItem({ index: 0, text: "首页" });
  assert.equal(phone.window.document.getElementById("wx-tabs").textContent, "首页99");
  await phone.wx.removeTabBarBadge({ index: 0 });
  assert.equal(phone.window.document.querySelector("#wx-tabs i").hidden, true);
  await phone.wx.hideTabBar();
  assert.equal(phone.window.document.getElementById("wx-tabs").hidden, true);
  assert.match((await failed(phone.wx.setTabBarItem({ index: 5, text: "x" }))).errMsg, /tabbar item not found/);
});

test("events of network, window and app are heard until they are given back", async () => {
  const phone = await open(onePage("<view/>", "onResize(e) { this.seen.push(e) }"));
  const heard = [];
  const hear = (facts) => heard.push(plain(facts));
  phone.wx.onNetworkStatusChange(hear);
  phone.window.dispatchEvent(new phone.window.Event("offline"));
  phone.wx.offNetworkStatusChange(hear);
  phone.window.dispatchEvent(new phone.window.Event("online"));
  phone.window.dispatchEvent(new phone.window.Event("resize"));
  assert.deepEqual([heard.length, phone.seen.length], [1, 1]);
});

test("an update is never waiting, the clipboard copies, pictures are looked at", async () => {
  const phone = await open(PAGE);
  const heard = [];
  phone.wx.getUpdateManager().onCheckForUpdate((facts) => heard.push(facts.hasUpdate));
  await phone.wx.previewImage({ urls: ["https://h.example.org/1.png", "/b.png"], current: "/b.png" });
  assert.equal(phone.over(".wx-preview img").getAttribute("src"), "files/b.png");
  await phone.tap(phone.over(".wx-preview img"));
  assert.equal(phone.over(".wx-preview img").getAttribute("src"), "/phone/net/h.example.org/1.png");
  await phone.tap(phone.over(".wx-mask"));
  assert.deepEqual([heard, phone.over(".wx-preview")], [[false], null]);
  assert.match((await failed(phone.wx.previewImage({ urls: [] }))).errMsg, /parameter error/);
});
