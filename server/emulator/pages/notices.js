// Service notices of the mini-program: each opens its page; settings turn them off.

import { $, make } from "./dom.js";
import { act, inTurn, told, unlessAway } from "./net.js";
import { openAddress } from "./program.js";
import { keepEnd } from "./scroll.js";
import { sheet } from "./sheet.js";
import { moment, phone } from "./state.js";

const FROM_NOTICE = 1014;

export function drawNotices(lines) {
  $("cards").append(...lines.map(noticeCard));
  keepEnd($("cards").parentElement);
}

function noticeCard(line) {
  const rows = Object.entries(line.data ?? {}).flatMap(([key, value]) =>
    [make("dt", {}, line.names?.[key] ?? key), make("dd", {}, value)]);
  const jump = line.page ? [make("button",
    { class: "into", type: "button", tap: () => openAddress(line.page, FROM_NOTICE) },
    "进入小程序查看")] : [];
  return make("article", { class: "card" },
    make("p", { class: "time" }, `${phone.program.name} ${moment(line.at)}`),
    make("h2", {}, line.content), make("dl", {}, ...rows), ...jump);
}

/** The settings behind the three dots: a global switch, and one per template. */
export async function noticeSettings() {
  try {
    const settings = await inTurn(() => told("settings"));
    await sheet({ title: "通知设置", fill: (done) => [mainSwitch(settings), ...rows(settings, done)] });
  } catch (error) {
    unlessAway(error);
  }
}

function mainSwitch(settings) {
  const box = make("input", { type: "checkbox", checked: settings.main_switch });
  box.addEventListener("change", () => inTurn(() => act("settings", { main_switch: box.checked })));
  return make("label", { class: "tick" }, box, `接收“${phone.program.name}”的订阅消息`);
}

function rows(settings, done) {
  const known = settings.templates.filter((item) => item.grants > 0 || item.id in settings.kept);
  if (known.length === 0) return [make("p", { class: "last" }, "还没有订阅任何消息。")];
  return [make("ul", { class: "plainlist" }, ...known.map((item) => make("li", {},
    make("span", {}, item.title, make("br"), make("span", { class: "last" }, stateOf(settings, item))),
    make("button", {
      class: "plain", type: "button", "aria-label": `拒收${item.title}`,
      disabled: settings.kept[item.id] === "reject",
      tap: async () => {
        done(null);
        await inTurn(() => act("consent", { template_id: item.id, result: "turn_off" }));
      },
    }, "拒收"))))];
}

function stateOf(settings, item) {
  const said = settings.kept[item.id] ?? "";
  const kept = said.startsWith("accept") ? "总是允许" : { reject: "已拒收", ban: "已被封禁" }[said];
  return [kept, `还可以收到 ${item.grants} 条`].filter(Boolean).join(" · ");
}
