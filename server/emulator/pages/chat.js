// The chat with the official account: lines, texts being sent, follow and unfollow.

import { $, face, make, shown } from "./dom.js";
import { chatLine } from "./lines.js";
import { act } from "./net.js";
import { keepEnd, toEnd } from "./scroll.js";
import { moment, person, phone } from "./state.js";

const PAUSE_SHOWN = 5 * 60000;

export function drawLines(lines) {
  for (const line of lines) {
    const at = Date.parse(line.at);
    if (Math.abs(at - phone.lastAt) > PAUSE_SHOWN)
      $("lines").append(make("p", { class: "note" }, moment(line.at)));
    phone.lastAt = at;
    $("lines").append(chatLine(line, send));
    if (line.direction === "out") arrived(line.content);
  }
  if (lines.length) keepEnd($("log"));
}

/** Shows input and menu to a follower, and the account's name card to others. */
export function drawFollowing() {
  const follows = phone.owner.subscribed;
  shown("profile", !follows);
  shown("foot", follows);
  shown("silence", phone.chat.length + phone.outbox.length === 0);
}

export async function send(content) {
  const letter = { content, failed: false };
  phone.outbox.push(letter);
  drawOutbox();
  toEnd($("log"));
  if (await act("message", { content }) === null) letter.failed = phone.outbox.includes(letter);
  drawOutbox();
}

/** Removes a text from the pending ones once the emulator's log contains it. */
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

/** Follows the account, through the code that was scanned before. */
export async function follow() {
  const ticket = phone.scanned;
  phone.scanned = "";
  await leave(...(ticket ? ["scan", { ticket }] : ["follow"]));
}

/** Runs an act that removes its own button; focus moves to the top of the chat. */
export async function leave(name, facts) {
  await act(name, facts);
  $("title").focus();
}

export function write(event) {
  event.preventDefault();
  const words = $("words").value.trim();
  if (!words) return;
  $("words").value = "";
  send(words);
}
