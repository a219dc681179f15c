// Selecting the person of this tab, and creating a new one.

import { drawDesk } from "./desk.js";
import { $, face, make, redraw, shown } from "./dom.js";
import { findPeople } from "./find.js";
import { ask, unlessAway } from "./net.js";
import { go } from "./route.js";
import { memoryOf, phone } from "./state.js";

let drawn = "";

export async function readCrowd() {
  const part = $("search").value.trim();
  const body = await findPeople(part);
  const items = body.items.map((item) => {
    const seen = memoryOf(item.person);
    return { ...item, fresh: seen.unread > 0 || item.latest > seen.got };
  });
  go("people");
  Object.assign(phone, { now: body.now, ahead: body.ahead, cut: body.cut });
  shown("desk", true);
  drawDesk();
  const fresh = JSON.stringify([part, body.total, items]);
  if (fresh === drawn) return;
  drawn = fresh;
  redraw($("crowd"), items.map(entry), "person");
  shown("crowd", items.length > 0);
  shown("nobody", items.length === 0);
  $("nobody").textContent = part ? `没有姓名含“${part}”的人。` : "还没有人物，请先新建一位。";
  shown("crowded", body.total > items.length);
  $("crowded").textContent = `共 ${body.total} 人，这里是最新的 ${items.length} 人。`;
}

function entry(item) {
  const state = item.subscribed ? "已关注公众号" : "未关注公众号";
  const badge = make("span", { class: "badge" }, "新");
  badge.setAttribute("aria-label", "有新消息");
  return make("li", {}, make("a",
    { class: "entry", href: addressOf(item.person), "data-person": item.person },
    face(item.name, item.person),
    make("span", { class: "about" },
      make("span", { class: "who" }, item.name), make("span", { class: "last" }, state)),
    make("span", { class: "side" }, ...(item.fresh ? [badge] : []))));
}

/** The address of another person's phone, at the same page of the mini-program if one is named. */
function addressOf(who) {
  const query = new URLSearchParams(location.search);
  query.set("person", who);
  return `?${query}`;
}

export async function create(event) {
  event.preventDefault();
  const name = $("name").value.trim();
  if (!name) return;
  const button = event.submitter ?? $("create").querySelector("button");
  button.disabled = true;
  try {
    const { body } = await ask("/_emu/people", { name });
    location.assign(addressOf(body.person));
  } catch (error) {
    button.disabled = false;
    unlessAway(error);
  }
}
