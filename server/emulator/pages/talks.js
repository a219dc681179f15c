// Groups, direct chats and the timeline, with the cards shared there.

import { $, badge, face, make, redraw, shown, speaker } from "./dom.js";
import { goHome } from "./history.js";
import { card } from "./lines.js";
import { act, told, unlessAway } from "./net.js";
import { pickPeople } from "./pick.js";
import { openProgram } from "./program.js";
import { keepEnd } from "./scroll.js";
import { sheet } from "./sheet.js";
import { moment, person, phone } from "./state.js";

export const TIMELINE = "timeline";

/** Every group, and every person with a direct chat, the latest first. */
export function talks() {
  const found = new Map(phone.groups.map((group) =>
    [group.group, { id: group.group, name: group.name, group, cards: [] }]));
  for (const shared of phone.cards.filter((one) => one.place !== TIMELINE)) {
    if (shared.place === "person" && !found.has(shared.talk))
      found.set(shared.talk, { id: shared.talk, name: shared.talk_name, group: null, cards: [] });
    found.get(shared.talk)?.cards.push(shared);
  }
  const latest = (talk) => talk.cards.at(-1)?.id ?? 0;
  return [...found.values()].sort((one, other) => latest(other) - latest(one));
}

export const talkOf = (id) => talks().find((talk) => talk.id === id);

/** The title of a chat; a group's includes the number of its members. */
export function titleOf(talk) {
  if (talk === undefined) return "聊天";
  return talk.group === null ? talk.name : `${talk.name}（${talk.group.members.length}）`;
}

export const timeline = () => phone.cards.filter((one) => one.place === TIMELINE);

export const unreadOf = (cards, seen) =>
  cards.filter((one) => one.sender !== person && one.id > (seen ?? 0)).length;

export function drawTalks(unread) {
  redraw($("talks"), talks().map((talk) => entry(talk, unread[talk.id] ?? 0)), "talk");
  shown("talks", $("talks").children.length > 0);
}

function entry(talk, unread) {
  const last = talk.cards.at(-1);
  const count = make("span", { class: "badge" });
  badge(count, unread);
  const words = last ? `${last.name}：${last.path ? "[小程序] " : ""}${last.title}` : "还没有消息";
  return make("li", {}, make("a", { class: "entry", href: `#talk/${talk.id}`, "data-talk": talk.id },
    face(talk.name, talk.id),
    make("span", { class: "about" },
      make("span", { class: "who" }, titleOf(talk)),
      make("span", { class: "last" }, words)),
    make("span", { class: "side" }, make("span", { class: "time" }, last ? moment(last.at) : ""), count)));
}

// ---- one chat

let drawnTalk = "", drawnMoments = -1;

export function drawTalk() {
  const talk = talkOf(phone.talk);
  const fresh = `${phone.talk} ${talk?.cards.length ?? "gone"}`;
  if (fresh === drawnTalk) return;
  drawnTalk = fresh;
  const cards = talk?.cards ?? [];
  $("posts").replaceChildren(...cards.map(shared));
  shown("talk-foot", talk !== undefined);
  shown("postless", cards.length === 0);
  $("postless").textContent = talk ? "还没有人发过消息。" : "您不在这个群里。";
  keepEnd($("posts").parentElement);
}

function shared(post) {
  const mine = post.sender === person;
  const box = post.path ? card({ ...post, what: "小程序" }, () => openPost(post.id))
    : make("div", { class: "bubble" }, post.title);
  return make("div", { class: `line ${mine ? "out" : "in"}` },
    speaker(face(post.name, post.sender), `${mine ? "我" : post.name}说`),
    make("div", { class: "said-by" },
      make("span", { class: "last" }, `${mine ? "我" : post.name} ${moment(post.at)}`), box));
}

export function drawMoments() {
  const cards = timeline();
  if (cards.length === drawnMoments) return;
  drawnMoments = cards.length;
  $("moments-list").replaceChildren(...cards.toReversed().map((post) => make("article", { class: "card" },
    make("p", { class: "time" }, `${post.name} ${moment(post.at)}`),
    card({ ...post, what: "小程序 · 单页模式" }, () => openPost(post.id)))));
  shown("momentless", cards.length === 0);
}

async function openPost(post) {
  const found = await act("open", { post });
  if (found === null) return;
  const { share_ticket: shareTicket, ...page } = found;
  openProgram({ ...page, ...(shareTicket === undefined ? {} : { shareTicket }) });
}

/** Sends a text to the open chat. */
export async function writeInTalk(event) {
  event.preventDefault();
  const [field, talk] = [$("talk-words"), talkOf(phone.talk)];
  const content = field.value.trim();
  if (!content || talk === undefined) return;
  const to = talk.group === null ? { person: talk.id } : { group: talk.id };
  if (await act("say", { to, content }) === null) return;
  field.value = "";
}

// ---- creating and changing a group

export async function makeGroup() {
  const picked = await pickPeople({ title: "发起群聊", named: true });
  if (picked === null) return;
  const group = await act("groups", { name: picked.name, members: [person, ...picked.people] });
  if (group === null) return;
  if (!phone.groups.some((known) => known.group === group.group)) phone.groups.push(group);
  location.hash = `talk/${group.group}`;
}

export async function groupSettings() {
  const { group } = talkOf(phone.talk);
  const chosen = await sheet({
    title: `${group.name}的成员`,
    fill: () => [make("ul", { class: "plainlist" }, ...group.members.map((member) =>
      make("li", {}, face(member.name, member.person), member.name)))],
    buttons: [["添加成员", "add", "main"], ["退出群聊", "leave", "danger"], ["关闭", null, "plain"]],
  });
  if (chosen === "leave") await leaveGroup(group);
  if (chosen === "add") await addMembers(group);
}

async function addMembers(group) {
  const without = group.members.map((member) => member.person);
  const picked = await pickPeople({ title: "添加成员", without });
  if (picked !== null) await act("groups", { group: group.group, add: picked.people });
}

async function leaveGroup(group) {
  try {
    await told("groups", { group: group.group, remove: [person] });
    goHome();
  } catch (error) {
    unlessAway(error);
  }
}
