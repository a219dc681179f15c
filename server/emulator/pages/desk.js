// The panel beside the phone on a wide screen: controls for time, network and people, and a list of
// steps to try.

import { $, make, shown } from "./dom.js";
import { goHome } from "./history.js";
import { ask, refresh, unlessAway } from "./net.js";
import { ranOnce, setNetwork } from "./program.js";
import { phone } from "./state.js";

const MINUTES = 5, MORNING = 8, CROWD = 50;
const DAY = 86400, HOUR = 3600, MINUTE = 60;
const WEEKDAYS = "日一二三四五六";
const done = { day: false, cut: false };

const STEPS = [
  ["关注这个公众号", "chat", () => phone.owner.subscribed],
  ["给公众号发“帮助”或“答题”", "chat", () => phone.chat.some((line) => line.direction === "out")],
  ["打开小程序，答一份卷", "app", ranOnce],
  ["发起群聊，把卡片转发进群", "home", () => phone.cards.some((card) => card.place === "group" && card.path !== "")],
  ["隔一天，再答一份", "app", () => done.day],
  ["答题时断网，再接通", "app", () => done.cut],
];

export function beginDesk() {
  $("desk-minutes").addEventListener("click", () => goOn("过了五分钟。", MINUTES * MINUTE));
  $("desk-day").addEventListener("click", nextDay);
  $("desk-network").addEventListener("click", switchNetwork);
  $("desk-crowd").addEventListener("click", fill);
}

/** Draws the time, the state of the network, and which steps are done. */
export function drawDesk() {
  $("desk-time").textContent = timeOf(phone.now);
  $("desk-network").textContent = phone.cut ? "接通网络" : "断开网络";
  setNetwork(!phone.cut);
  // Steps need a person; controls for time, network and people work without one.
  for (const id of ["desk-steps", "desk-next"]) shown(id, phone.owner !== null);
  if (phone.owner === null) return;
  const states = STEPS.map(([, , made]) => Boolean(made()));
  const drawn = states.join();
  if ($("desk-next").dataset.drawn === drawn) return;
  $("desk-next").dataset.drawn = drawn;
  $("desk-next").replaceChildren(...STEPS.map(([words, view], at) => make("li", {},
    make("button", { class: "step", type: "button", tap: () => go(view) }, words,
      states[at] ? make("span", { class: "tried" }, " ✓ 已试过") : ""))));
}

function go(view) {
  if (view === "home") goHome();
  else location.hash = view;
}

function timeOf(now) {
  const [day, clock] = [now.slice(0, 10), now.slice(11, 16)];
  const [year, month, date] = day.split("-").map(Number);
  return `${year}年${month}月${date}日 星期${WEEKDAYS[new Date(`${day}T00:00Z`).getUTCDay()]} ${clock}`;
}

async function play(words, address, body) {
  try {
    const { status, body: answer } = await ask(`/_emu/${address}`, body);
    $("desk-said").textContent = status === 200 ? words : `模拟微信没有接受：${answer.error}`;
    refresh();
    return status === 200 ? answer : null;
  } catch (error) {
    unlessAway(error);
    return null;
  }
}

/**
 * Advances the emulated time; sets the mini-program's clock first, before a response can arrive.
 */
async function goOn(words, advance) {
  const moved = await play(words, "clock", { advance }) !== null;
  if (moved) phone.ahead += advance;
  return moved;
}

/** Advances to 08:00 of the next Beijing day. */
async function nextDay() {
  const [hours, minutes] = [phone.now.slice(11, 13), phone.now.slice(14, 16)].map(Number);
  const advance = DAY - hours * HOUR - minutes * MINUTE + MORNING * HOUR;
  done.day = await goOn("到了第二天早上八点。", advance) || done.day;
}

async function switchNetwork() {
  const cut = !phone.cut;
  done.cut ||= cut;
  await play(cut ? "小程序现在没有网络。" : "网络接通了。", "network", { cut });
}

async function fill() {
  const seed = `desk-${Date.now()}`;
  const made = await play("", "seed", { followers: CROWD, seed });
  if (made !== null) $("desk-said").textContent = `来了 ${made.added} 位关注者，现在共有 ${made.followers} 位。`;
}
