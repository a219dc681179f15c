// One browser tab is one person's phone. It polls the emulator every second and sends the person's
// actions.

import { drawLines, follow, leave, write } from "./chat.js";
import { older, paste, readCodes } from "./codes.js";
import { $, shown } from "./dom.js";
import { beginDesk, drawDesk } from "./desk.js";
import { beginHistory, goHome } from "./history.js";
import { draw } from "./list.js";
import { closeMenus, drawMenu, swap } from "./menu.js";
import { ask, readWith, refresh } from "./net.js";
import { drawNotices } from "./notices.js";
import { create, readCrowd } from "./people.js";
import { boot, enterWhole, openAddress } from "./program.js";
import { followAddress, route, tapMore } from "./route.js";
import { watchEnd } from "./scroll.js";
import { programMenu } from "./program_menu.js";
import { person, phone, wish } from "./state.js";
import { writeInTalk } from "./talks.js";

const latest = (before, lines) => Math.max(before, ...lines.map((line) => line.id));

async function readFeed() {
  const query = new URLSearchParams({ person, after: phone.after, cards: phone.lastCard });
  const { body } = await ask(`feed?${query}`);
  if (body.person === null) {
    phone.gone = true;
    shown("lost", true);
    await readCrowd();
    return;
  }
  const first = phone.owner === null;
  take(body);
  if (first) begin();
  drawLines(body.chat);
  drawNotices(body.notices);
  drawMenu(body.menu.button);
  if (phone.view === "scan" && body.codes !== phone.codes) await readCodes();
  draw();
  drawDesk();
}

function take(body) {
  const { person: owner, account, program, number, now, ahead, groups, cut } = body;
  Object.assign(phone, { owner, account, program, number, now, ahead, groups, cut });
  phone.after = latest(phone.after, [...body.chat, ...body.notices]);
  phone.lastCard = latest(phone.lastCard, body.cards);
  phone.chat.push(...body.chat);
  phone.notices.push(...body.notices);
  phone.cards.push(...body.cards);
}

/** Starts after the first poll: fills in names and shows the view in the address. */
function begin() {
  for (const [kind, name] of [["account", phone.account], ["program", phone.program.name]]) {
    for (const node of document.querySelectorAll(`.${kind}-name`)) node.textContent = name;
    for (const node of document.querySelectorAll(`.${kind}.face`)) node.textContent = [...name][0];
  }
  beginHistory();
  shown("desk", true);
  if (wish !== null && ["", "#app"].includes(location.hash)) openAddress(wish.path, wish.scene);
  route();
}

$("create").addEventListener("submit", create);
$("search").addEventListener("input", refresh);
$("follow").addEventListener("click", follow);
$("more").addEventListener("click", tapMore);
$("keep").addEventListener("click", () => $("sheet").close());
$("unfollow").addEventListener("click", () => { $("sheet").close(); leave("unfollow"); });
$("swap").addEventListener("click", swap);
$("older").addEventListener("click", () => { older(); refresh(); });
$("paste").addEventListener("submit", paste);
$("composer").addEventListener("submit", write);
for (const field of [$("words"), $("talk-words")]) {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    field.form.requestSubmit();
  });
}
$("program-menu").addEventListener("click", programMenu);
$("program-close").addEventListener("click", goHome);
for (const link of document.querySelectorAll("a[href='#home']"))
  link.addEventListener("click", (event) => { event.preventDefault(); goHome(); });
$("talk-composer").addEventListener("submit", writeInTalk);
$("program-enter").addEventListener("click", enterWhole);
$("program-again").addEventListener("click", boot);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(); });
document.addEventListener("click", (event) => { if (!event.target.closest(".menu")) closeMenus(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
window.addEventListener("hashchange", () => { followAddress(); draw(); });
beginDesk();
for (const log of document.querySelectorAll(".log")) watchEnd(log);
readWith(() => (person && !phone.gone ? readFeed() : readCrowd()));
