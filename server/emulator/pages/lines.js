// Renders one line of a chat. An account's links are text with an address: nothing in a text is
// executed, and only links to our own mini-program can be tapped.

import { face, make, speaker } from "./dom.js";
import { articleCards, templateCard } from "./official.js";
import { openAddress } from "./program.js";
import { person, phone } from "./state.js";

const LINK = /<a\b([^>]*)>([\s\S]*?)<\/a>/gi;
const FACT = /([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const KINDS = { image: "[图片]", voice: "[语音]", video: "[视频]", music: "[音乐]", location: "[位置]",
  miniprogrampage: "[小程序] ", article: "[图文] " };
const FROM_CARD = 1074, FROM_LINK = 1082;

export function chatLine(line, send) {
  if (line.direction === "note")
    return make("p", { class: line.kind === "failure" ? "note failure" : "note" }, line.content);
  const mine = line.direction === "out";
  const who = mine ? face(phone.owner.name, person)
    : make("span", { class: "face account" }, [...phone.account][0]);
  return make("div", { class: `line ${line.direction}` },
    speaker(who, `${mine ? "我" : phone.account}说`), bubble(line, send));
}

/** The line as a single row of text. */
export const plain = (line) =>
  ((KINDS[line.kind] ?? "") + line.content).replace(LINK, "$2").replace(/\s+/g, " ");

function bubble(line, send) {
  if (line.kind === "news") return news(line);
  if (line.kind === "article") return articleCards(line);
  if (line.kind === "template" || line.kind === "notice") return templateCard(line);
  if (line.kind === "miniprogrampage") {
    return card({ title: line.content, image: "", what: "打开小程序" },
      () => openAddress(line.pagepath, FROM_CARD));
  }
  const box = make("div", { class: "bubble" }, ...linked((KINDS[line.kind] ?? "") + line.content));
  if (line.kind === "msgmenu") {
    box.append(...line.list.map((item) =>
      make("button", { class: "choice", type: "button", tap: () => send(item.content) }, item.content)));
    box.append(line.tail ?? "");
  }
  return box;
}

function news(line) {
  return make("div", { class: "bubble news" }, ...line.articles.map((article) => make("div", {},
    make("strong", {}, article.title ?? ""),
    make("span", {}, article.description ?? ""),
    make("span", { class: "address" }, article.url ?? ""))));
}

/** A mini-program card: one large button. */
export function card({ title, image, what }, tap) {
  const picture = image ? [make("img", { src: image, alt: "", loading: "lazy" })] : [];
  return make("button", { class: "bubble mini", type: "button", tap },
    make("span", { class: "of" }, phone.program.name), make("strong", {}, title), ...picture,
    make("span", { class: "address" }, what));
}

function linked(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(from, found.index), ...link(factsOf(found[1]), found[2]));
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}

function factsOf(inside) {
  return Object.fromEntries([...inside.matchAll(FACT)].map(
    ([, name, double, single]) => [name.toLowerCase(), double ?? single]));
}

function link(facts, words) {
  const page = facts["data-miniprogram-path"];
  if (page !== undefined && facts["data-miniprogram-appid"] === phone.program.appid)
    return [make("button", { class: "jump", type: "button", tap: () => openAddress(page, FROM_LINK) }, words)];
  return [make("span", { class: "link" }, words),
    make("span", { class: "address" }, facts.href ?? "")];
}
