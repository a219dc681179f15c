// The list of chats: one row per chat with its newest line and its unread count.

import { $, badge, shown } from "./dom.js";
import { drawFollowing } from "./chat.js";
import { plain } from "./lines.js";
import { drawHead } from "./route.js";
import { memoryOf, moment, person, phone, remember } from "./state.js";
import { TIMELINE, drawMoments, drawTalk, drawTalks, talks, timeline, unreadOf } from "./talks.js";

const received = (lines) => lines.filter((line) => line.direction === "in");

/** Draws everything except the lines of a chat. */
export function draw() {
  if (phone.owner === null) return;
  const unread = countUnread();
  row("chat", phone.chat, unread.chat, "还没有消息");
  row("notices", phone.notices, unread.notices, "还没有服务通知");
  drawTalks(unread.talks);
  drawTimelineRow(unread.talks[TIMELINE]);
  badge($("all-badge"), unread.all);
  document.title = `${unread.all ? `(${unread.all}) ` : ""}${phone.owner.name} · 模拟微信`;
  drawFollowing();
  shown("quiet", phone.notices.length === 0);
  if (phone.view === "talk") drawTalk();
  if (phone.view === "moments") drawMoments();
  drawHead();
}

function countUnread() {
  const seen = structuredClone(memoryOf(person));
  if (!document.hidden) see(seen);
  const count = (kind) => received(phone[kind]).filter((line) => line.id > seen[kind]).length;
  const byTalk = Object.fromEntries(talks().map((talk) =>
    [talk.id, unreadOf(talk.cards, seen.talks[talk.id])]));
  byTalk[TIMELINE] = unreadOf(timeline(), seen.talks[TIMELINE]);
  const unread = { chat: count("chat"), notices: count("notices"), talks: byTalk };
  // The timeline has its own mark and is not part of the total.
  unread.all = unread.chat + unread.notices
    + talks().reduce((sum, talk) => sum + byTalk[talk.id], 0);
  remember({ ...seen, unread: unread.all });
  return unread;
}

/** Marks the view in front as read. */
function see(seen) {
  seen.got = phone.after;
  if (phone.view === "chat" || phone.view === "notices")
    seen[phone.view] = phone[phone.view].at(-1)?.id ?? 0;
  if (phone.view === "talk") seen.talks[phone.talk] = phone.lastCard;
  if (phone.view === "moments") seen.talks[TIMELINE] = phone.lastCard;
}

function row(kind, lines, unread, none) {
  const last = lines.at(-1);
  $(`${kind}-last`).textContent = last ? plain(last) : none;
  $(`${kind}-time`).textContent = last ? moment(last.at) : "";
  badge($(`${kind}-badge`), unread);
}

function drawTimelineRow(unread) {
  const last = timeline().at(-1);
  $("moments-last").textContent = last ? `${last.name}：${last.title}` : "还没有人分享";
  badge($("moments-badge"), unread);
}
