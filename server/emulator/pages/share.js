// The share sheet: choosing the destination of a card.

import { face, make, say } from "./dom.js";
import { refresh, told } from "./net.js";
import { peopleList } from "./pick.js";
import { sheet } from "./sheet.js";
import { phone } from "./state.js";

/** Lets the person choose a destination, and sends the card there. */
export async function share({ card, timeline, withShareTicket }) {
  const to = await chooseTarget(timeline !== null);
  if (to === null) return { to: null };
  const place = Object.keys(to)[0];
  const { title, path, imageUrl } = place === "timeline" ? timeline : card;
  const post = { to, title, path, image: imageUrl, with_ticket: withShareTicket };
  await told("share", post);
  say("已发送");
  refresh();
  return { to: place };
}

function chooseTarget(withTimeline) {
  return sheet({
    title: "发送给",
    fill: (done) => [
      ...(withTimeline ? [make("button",
        { class: "choice wide", type: "button", tap: () => done({ timeline: true }) }, "朋友圈")] : []),
      ...phone.groups.map((group) => make("button",
        { class: "choice wide", type: "button", tap: () => done({ group: group.group }) },
        face(group.name, group.group), group.name)),
      peopleList((item) => make("button",
        { class: "choice wide", type: "button", tap: () => done({ person: item.person }) },
        face(item.name, item.person), item.name)),
    ],
    buttons: [["取消", null, "plain"]],
  });
}
