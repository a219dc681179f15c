// One browser tab is one person's phone. It asks the emulator for news every second and plays what
// the person does. Whatever people or accounts wrote goes into the page as text, never as HTML.

const LINK = /<a\b[^>]*?\bhref\s*=\s*(["'])(.*?)\1[^>]*>([\s\S]*?)<\/a>/gi;
const KINDS = { image: "[图片]", voice: "[语音]", video: "[视频]", music: "[音乐]", location: "[位置]" };
const VERDICTS = { timeout: "超时", "no-connection": "连接不上", "http-not-200": "报错" };
const PACE = 1000, PACE_HIDDEN = 5000, PATIENCE = 8000, CODES = 20, PAUSE_SHOWN = 5 * 60000;

const person = new URLSearchParams(location.search).get("person") ?? "";
const $ = (id) => document.getElementById(id);
const shown = (id, yes) => { $(id).hidden = !yes; };
const memoryOf = (who) =>
  ({ chat: 0, notices: 0, got: 0, unread: 0, ...JSON.parse(localStorage.getItem(`phone:${who}`)) });

const phone = {
  owner: null, account: "", now: "", after: 0, chat: [], notices: [], codes: null, menu: "",
  typing: false, outbox: [], waiting: 0, shownCodes: CODES, lastAt: 0, view: "",
};
let timer = 0, asking = false, crowdShown = "";

function make(tag, facts = {}, ...inside) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (name === "class") node.className = value;
    else if (name === "tap") node.addEventListener("click", value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...inside);
  return node;
}

// ---- speaking with the emulator

class Away extends Error {}

async function ask(address, body) {
  const how = { signal: AbortSignal.timeout(body ? 60000 : PATIENCE) };
  if (body) Object.assign(how, { method: "POST", body: JSON.stringify(body) });
  try {
    const answer = await fetch(address, how);
    const said = { status: answer.status, body: await answer.json() };
    shown("trouble", false);
    return said;
  } catch (cause) {
    shown("trouble", true);
    throw new Away("no answer", { cause });
  }
}

/** For what is said by the red line already; any other error is a mistake of this page. */
function unlessAway(error) {
  if (!(error instanceof Away)) throw error;
}

/** Do something as this person; null when the emulator did not take it. */
async function act(name, body = {}) {
  phone.waiting += 1;
  drawWaiting();
  try {
    const { status, body: result } = await ask(`/_emu/${name}`, { person, ...body });
    if (status !== 200) {
      say(status === 409 ? "这个二维码已经过期。" : "模拟微信没有接受这个操作。");
      return null;
    }
    judge(result.attempts);
    return result;
  } catch (error) {
    unlessAway(error);
    return null;
  } finally {
    phone.waiting -= 1;
    drawWaiting();
    refresh();
  }
}

/** Tell when the account's own server did not answer as it should. */
function judge(attempts) {
  const verdict = attempts.at(-1)?.verdict;
  const bad = verdict !== undefined && !verdict.startsWith("ok");
  shown("away", bad);
  $("away").textContent = bad
    ? `公众号的服务器没有正常应答（${VERDICTS[verdict] ?? verdict}）` : "";
}

function say(words) {
  $("said").textContent = words;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { $("said").textContent = ""; }, 5000);
}

async function refresh() {
  clearTimeout(timer);
  if (asking) {
    asking = "again";
    return;
  }
  asking = true;
  try {
    await (person && !phone.gone ? readFeed() : readCrowd());
    shown("loading", false);
  } catch (error) {
    unlessAway(error);
  } finally {
    const again = asking === "again";
    asking = false;
    timer = setTimeout(refresh, again ? 0 : document.hidden ? PACE_HIDDEN : PACE);
  }
}

// ---- who am I

async function readCrowd() {
  const part = $("search").value.trim();
  const { body } = await ask(`people?q=${encodeURIComponent(part)}`);
  const items = body.items.map((item) => {
    const seen = memoryOf(item.person);
    return { ...item, fresh: seen.unread > 0 || item.latest > seen.got };
  });
  go("people");
  const fresh = JSON.stringify([part, body.total, items]);
  if (fresh === crowdShown) return;
  crowdShown = fresh;
  const held = document.activeElement?.dataset?.person;
  $("crowd").replaceChildren(...items.map(personEntry));
  $("crowd").querySelector(`[data-person="${CSS.escape(held ?? "")}"]`)?.focus();
  shown("crowd", items.length > 0);
  shown("nobody", items.length === 0);
  $("nobody").textContent = part ? `没有姓名含“${part}”的人。` : "还没有人物，请先新建一位。";
  shown("crowded", body.total > items.length);
  $("crowded").textContent = `共 ${body.total} 人，这里是最新的 ${items.length} 人。`;
}

function personEntry(item) {
  const state = item.subscribed ? "已关注公众号" : "未关注公众号";
  const badge = make("span", { class: "badge" }, "新");
  badge.setAttribute("aria-label", "有新消息");
  return make("li", {}, make("a",
    { class: "entry", href: `?person=${encodeURIComponent(item.person)}`, "data-person": item.person },
    face(item.name, item.person),
    make("span", { class: "about" },
      make("span", { class: "who" }, item.name), make("span", { class: "last" }, state)),
    make("span", { class: "side" }, ...(item.fresh ? [badge] : []))));
}

function face(name, id) {
  const tint = [...id].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 5;
  return make("span", { class: `face tint-${tint}`, "aria-hidden": "true" }, [...name][0] ?? "人");
}

async function create(event) {
  event.preventDefault();
  const name = $("name").value.trim();
  if (!name) return;
  const button = event.submitter ?? $("create").querySelector("button");
  button.disabled = true;
  try {
    const { body } = await ask("/_emu/people", { name });
    location.assign(`?person=${encodeURIComponent(body.person)}`);
  } catch (error) {
    button.disabled = false;
    unlessAway(error);
  }
}

// ---- what this phone shows

async function readFeed() {
  const { body } = await ask(`feed?person=${encodeURIComponent(person)}&after=${phone.after}`);
  if (body.person === null) {
    phone.gone = true;
    shown("lost", true);
    return readCrowd();
  }
  const first = phone.owner === null;
  Object.assign(phone, { owner: body.person, account: body.account, now: body.now });
  phone.after = Math.max(phone.after, ...[...body.chat, ...body.notices].map((line) => line.id));
  phone.chat.push(...body.chat);
  phone.notices.push(...body.notices);
  if (first) {
    for (const node of document.querySelectorAll(".account-name")) node.textContent = body.account;
    for (const node of document.querySelectorAll(".account.face"))
      node.textContent = [...body.account][0];
    route();
  }
  drawLines(body.chat);
  $("cards").append(...body.notices.map(noticeCard));
  keepEnd($("cards").parentElement);
  drawMenu(body.menu.button);
  if (phone.view === "scan" && body.codes !== phone.codes) await readCodes();
  draw();
}

const received = (lines) => lines.filter((line) => line.direction === "in");

/** Everything that is not a line: badges, the two entries, who follows. */
function draw() {
  if (phone.owner === null) return;
  const unread = countUnread();
  entry("chat", phone.chat, unread.chat, "还没有消息");
  entry("notices", phone.notices, unread.notices, "还没有服务通知");
  const all = unread.chat + unread.notices;
  badge("all-badge", all);
  document.title = `${all ? `(${all}) ` : ""}${phone.owner.name} · 模拟微信`;
  const follows = phone.owner.subscribed;
  shown("profile", !follows);
  shown("foot", follows);
  shown("more", phone.view === "chat" && follows);
  shown("silence", phone.chat.length + phone.outbox.length === 0);
  shown("quiet", phone.notices.length === 0);
}

function countUnread() {
  const before = memoryOf(person), seen = { ...before };
  if (!document.hidden) {
    seen.got = phone.after;
    if (phone.view in { chat: 1, notices: 1 })
      seen[phone.view] = phone[phone.view].at(-1)?.id ?? 0;
  }
  const count = (kind) => received(phone[kind]).filter((line) => line.id > seen[kind]).length;
  const unread = { chat: count("chat"), notices: count("notices") };
  seen.unread = unread.chat + unread.notices;
  const text = JSON.stringify(seen);
  if (text !== JSON.stringify(before)) localStorage.setItem(`phone:${person}`, text);
  return unread;
}

function entry(kind, lines, unread, none) {
  const last = lines.at(-1);
  $(`${kind}-last`).textContent = last ? plain(last) : none;
  $(`${kind}-time`).textContent = last ? moment(last.at) : "";
  badge(`${kind}-badge`, unread);
}

function badge(id, count) {
  shown(id, count > 0);
  $(id).textContent = count > 99 ? "99+" : String(count);
  $(id).setAttribute("aria-label", `${count} 条未读`);
}

const plain = (line) =>
  ((KINDS[line.kind] ?? "") + line.content).replace(LINK, "$3").replace(/\s+/g, " ");

/** An instant as a chat shows it; both texts are in Beijing time. */
function moment(at) {
  const [day, clock] = [at.slice(0, 10), at.slice(11, 16)];
  if (day === phone.now.slice(0, 10)) return clock;
  return `${Number(day.slice(5, 7))}月${Number(day.slice(8, 10))}日 ${clock}`;
}

// ---- the chat

function drawLines(lines) {
  for (const line of lines) {
    const at = Date.parse(line.at);
    if (Math.abs(at - phone.lastAt) > PAUSE_SHOWN)
      $("lines").append(make("p", { class: "note" }, moment(line.at)));
    phone.lastAt = at;
    $("lines").append(chatLine(line));
    if (line.direction === "out") arrived(line.content);
  }
  if (lines.length) keepEnd($("log"));
}

/** Show the newest line, unless the person is reading further up. */
function keepEnd(log) {
  if (log.dataset.reading === undefined) log.scrollTop = log.scrollHeight;
}

function toEnd(log) {
  delete log.dataset.reading;
  keepEnd(log);
}

function watchEnd(log) {
  log.addEventListener("scroll", () => {
    if (log.scrollHeight - log.scrollTop - log.clientHeight < 80) delete log.dataset.reading;
    else log.dataset.reading = "";
  });
  new ResizeObserver(() => keepEnd(log)).observe(log);
}

function chatLine(line) {
  if (line.direction === "note")
    return make("p", { class: line.kind === "failure" ? "note failure" : "note" }, line.content);
  const mine = line.direction === "out";
  const who = mine ? face(phone.owner.name, person)
    : make("span", { class: "face account", "aria-hidden": "true" }, [...phone.account][0]);
  who.removeAttribute("aria-hidden");
  who.setAttribute("role", "img");
  who.setAttribute("aria-label", `${mine ? "我" : phone.account}说`);
  return make("div", { class: `line ${line.direction}` }, who, bubble(line));
}

function bubble(line) {
  if (line.kind === "news") {
    return make("div", { class: "bubble news" }, ...line.articles.map((article) => make("div", {},
      make("strong", {}, article.title ?? ""),
      make("span", {}, article.description ?? ""),
      make("span", { class: "address" }, article.url ?? ""))));
  }
  const box = make("div", { class: "bubble" }, ...linked((KINDS[line.kind] ?? "") + line.content));
  if (line.kind === "msgmenu") {
    box.append(...line.list.map((item) =>
      make("button", { class: "choice", type: "button", tap: () => send(item.content) }, item.content)));
    box.append(line.tail ?? "");
  }
  if (line.kind === "miniprogrampage")
    box.append(make("span", { class: "address" }, line.pagepath ?? ""));
  return box;
}

/** Text in which an account's links are words with their address: nothing in it can be run. */
function linked(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(from, found.index), make("span", { class: "link" }, found[3]),
      make("span", { class: "address" }, found[2]));
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}

async function send(content) {
  const letter = { content, failed: false };
  phone.outbox.push(letter);
  drawOutbox();
  toEnd($("log"));
  if (await act("message", { content }) === null) letter.failed = phone.outbox.includes(letter);
  drawOutbox();
}

/** The emulator has this text now: it stands in the log. */
function arrived(content) {
  const at = phone.outbox.findIndex((letter) => letter.content === content);
  if (at < 0) return;
  phone.outbox.splice(at, 1);
  drawOutbox();
}

function drawOutbox() {
  $("outbox").replaceChildren(...phone.outbox.map((letter) => {
    const again = () => {
      phone.outbox.splice(phone.outbox.indexOf(letter), 1);
      send(letter.content);
    };
    const state = letter.failed
      ? make("button", { class: "resend", type: "button", tap: again }, "没发出，重发")
      : make("span", { class: "state" }, "发送中…");
    return make("div", { class: "line out" },
      face(phone.owner.name, person), make("div", { class: "bubble" }, letter.content), state);
  }));
}

function drawWaiting() {
  shown("waiting", phone.waiting > 0);
  for (const id of ["follow", "unfollow"]) $(id).disabled = phone.waiting > 0;
  keepEnd($("log"));
}

// ---- the menu

function drawMenu(buttons) {
  const fresh = JSON.stringify(buttons);
  if (fresh !== phone.menu) {
    phone.menu = fresh;
    phone.typing = buttons.length === 0;
    $("menu").replaceChildren(...buttons.map(topButton));
  }
  shown("swap", buttons.length > 0);
  shown("menu", !phone.typing);
  shown("composer", phone.typing);
  $("swap").textContent = phone.typing ? "菜单" : "打字";
  $("swap").setAttribute("aria-label", phone.typing ? "换成菜单" : "换成打字");
}

function topButton(button, place) {
  if (!button.sub_button?.length) return make("li", {}, leaf(button));
  const id = `sub-${place}`;
  const list = make("ul", { id, class: "sub", hidden: true, "aria-label": button.name },
    ...button.sub_button.map((sub) => make("li", {}, leaf(sub))));
  const opener = make("button", {
    class: "opens", type: "button", "aria-expanded": "false", "aria-controls": id,
    tap: () => {
      const open = list.hidden;
      closeMenus();
      list.hidden = !open;
      opener.setAttribute("aria-expanded", String(open));
    },
  }, button.name);
  return make("li", {}, opener, list);
}

function leaf(button) {
  const events = {
    click: ["CLICK", button.key], view: ["VIEW", button.url],
    miniprogram: ["view_miniprogram", button.pagepath],
  };
  const event = events[button.type];
  const tap = () => {
    closeMenus();
    if (event[0] !== "CLICK") say(`菜单地址：${event[1]}`);
    act("message", { event: event[0], event_key: event[1] });
  };
  return make("button", { type: "button", disabled: !event, tap: event && tap }, button.name);
}

/** Close what is open; the button that opened it gets the focus when it was inside. */
function closeMenus() {
  for (const list of document.querySelectorAll(".sub:not([hidden])")) {
    const opener = list.previousElementSibling;
    if (list.contains(document.activeElement)) opener.focus();
    list.hidden = true;
    opener.setAttribute("aria-expanded", "false");
  }
}

/** An act whose own button goes away: the focus waits at the top of the chat. */
async function leave(name) {
  await act(name);
  $("title").focus();
}

function swap() {
  phone.typing = !phone.typing;
  closeMenus();
  drawMenu(JSON.parse(phone.menu));
  if (phone.typing) $("words").focus();
}

// ---- service notices and codes

function noticeCard(line) {
  const rows = Object.entries(line.data ?? {}).flatMap(([key, value]) =>
    [make("dt", {}, line.names?.[key] ?? key), make("dd", {}, value)]);
  return make("article", { class: "card" },
    make("p", { class: "time" }, moment(line.at)), make("h2", {}, line.content),
    make("dl", {}, ...rows));
}

async function readCodes() {
  const { body } = await ask("/_emu/codes");
  phone.codes = body.items.length;
  const items = body.items.reverse();
  const held = document.activeElement?.dataset?.ticket;
  $("codes").replaceChildren(...items.slice(0, phone.shownCodes).map(codeCard));
  $("codes").querySelector(`[data-ticket="${CSS.escape(held ?? "")}"]`)?.focus();
  shown("codeless", items.length === 0);
  shown("older", items.length > phone.shownCodes);
}

function codeCard(code) {
  const gone = code.expires_at !== null && code.expires_at <= phone.now;
  const kind = code.kind === "WXA_CODE" ? "小程序码" : "公众号二维码";
  const picture = gone ? make("span", { class: "gone" }, "已过期") : make("img", {
    src: `/mpweb/cgi-bin/showqrcode?ticket=${encodeURIComponent(code.ticket)}`,
    alt: "", loading: "lazy", width: "160", height: "160",
  });
  const until = code.expires_at === null ? "长期有效" : `${moment(code.expires_at)} 到期`;
  return make("li", {}, make("button",
    { class: "code", type: "button", disabled: gone, "data-ticket": code.ticket, tap: () => scan(code) },
    picture, make("strong", {}, code.scene), make("span", {}, kind), make("span", {}, until)));
}

async function scan(code) {
  if (code.kind !== "WXA_CODE") location.hash = "chat";
  const result = await act("scan", { ticket: code.ticket });
  if (result?.open) say(`小程序码：页面 ${result.open.page || "首页"}，参数 ${result.open.scene}`);
}

// ---- going about

const TITLES = { people: () => "模拟微信", chat: () => phone.account, notices: () => "服务通知",
  scan: () => "扫一扫", home: () => `${phone.owner.name}的手机` };

function route() {
  if (phone.owner === null || phone.gone) return;
  const wish = location.hash.slice(1);
  go(["chat", "notices", "scan"].includes(wish) ? wish : "home");
  draw();
}

function go(view) {
  if (phone.view === view) return;
  const moved = phone.view !== "";
  phone.view = view;
  closeMenus();
  for (const section of document.querySelectorAll(".view")) section.hidden = section.id !== view;
  const talking = view === "chat" || view === "notices";
  shown("back", talking);
  shown("tabs", view === "home" || view === "scan");
  shown("more", false);
  for (const name of ["home", "scan"]) {
    if (name === view) $(`tab-${name}`).setAttribute("aria-current", "page");
    else $(`tab-${name}`).removeAttribute("aria-current");
  }
  $("title").textContent = TITLES[view]();
  if (moved) $("title").focus();
  if (view === "chat") toEnd($("log"));
  if (view === "notices") toEnd($("cards").parentElement);
  if (view === "scan") {
    phone.codes = null;
    refresh();
  }
}

$("create").addEventListener("submit", create);
$("search").addEventListener("input", refresh);
$("follow").addEventListener("click", () => leave("follow"));
$("more").addEventListener("click", () => $("sheet").showModal());
$("keep").addEventListener("click", () => $("sheet").close());
$("unfollow").addEventListener("click", () => { $("sheet").close(); leave("unfollow"); });
$("swap").addEventListener("click", swap);
$("older").addEventListener("click", () => { phone.shownCodes += CODES; phone.codes = null; refresh(); });
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = $("words").value.trim();
  if (!words) return;
  $("words").value = "";
  send(words);
});
$("words").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(); });
document.addEventListener("click", (event) => { if (!event.target.closest(".menu")) closeMenus(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
window.addEventListener("hashchange", route);
for (const log of document.querySelectorAll(".log")) watchEnd(log);
refresh();
