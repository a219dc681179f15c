// Selects the visible part of the phone; it is in the address's fragment, so that Back works.

import { $, shown } from "./dom.js";
import { closeMenus } from "./menu.js";
import { moved } from "./history.js";
import { noticeSettings } from "./notices.js";
import { refresh } from "./net.js";
import { enterProgram, leaveProgram } from "./program.js";
import { toEnd } from "./scroll.js";
import { phone } from "./state.js";
import { groupSettings, makeGroup, talkOf, titleOf } from "./talks.js";

const VIEWS = ["chat", "notices", "scan", "talk", "moments", "app"];
const BACK = ["chat", "notices", "talk", "moments"];
const TITLES = {
  people: () => "模拟微信", chat: () => phone.account, notices: () => "服务通知",
  scan: () => "扫一扫", moments: () => "朋友圈", app: () => phone.program.name,
  home: () => `${phone.owner.name}的手机`, talk: () => titleOf(talkOf(phone.talk)),
};
const MORE = {
  home: { words: "发起群聊", sign: "＋", offered: () => true, tap: makeGroup },
  chat: { words: "公众号设置", sign: "⋯", offered: () => phone.owner.subscribed,
    tap: () => $("sheet").showModal() },
  notices: { words: "通知设置", sign: "⋯", offered: () => true, tap: noticeSettings },
  talk: { words: "群成员", sign: "⋯", offered: () => talkOf(phone.talk)?.group != null,
    tap: groupSettings },
};

/** Handles a changed fragment; an open layer may consume a Back first. */
export function followAddress() {
  if (moved()) route();
}

/** Shows the view in the address's fragment. */
export function route() {
  if (phone.owner === null || phone.gone) return;
  const [view, talk = ""] = location.hash.slice(1).split("/");
  if (talk !== phone.talk && phone.view === "talk") phone.view = "other";
  phone.talk = talk;
  go(VIEWS.includes(view) ? view : "home");
}

export function go(view) {
  if (phone.view === view) return;
  const before = phone.view;
  phone.view = view;
  if (view !== "chat") phone.scanned = "";
  closeMenus();
  for (const section of document.querySelectorAll(".view")) section.hidden = section.id !== view;
  shown("bar", view !== "app");
  shown("back", BACK.includes(view));
  shown("tabs", view === "home" || view === "scan");
  drawHead();
  drawTabs(view);
  if (before === "app") leaveProgram();
  if (before !== "" && view !== "app") $("title").focus();
  arrive(view);
}

function arrive(view) {
  if (view === "app") enterProgram();
  if (view === "scan") phone.codes = null;
  const log = $(view).querySelector(".log");
  if (log !== null) toEnd(log);
  if (view !== "people") refresh();
}

function drawTabs(view) {
  for (const name of ["home", "scan"]) {
    if (name === view) $(`tab-${name}`).setAttribute("aria-current", "page");
    else $(`tab-${name}`).removeAttribute("aria-current");
  }
}

/** Draws the title and the view's own button at the top right. */
export function drawHead() {
  const title = TITLES[phone.view]();
  if ($("title").textContent !== title) $("title").textContent = title;
  const more = phone.owner === null ? undefined : MORE[phone.view];
  const offered = more !== undefined && more.offered();
  shown("more", offered);
  if (!offered) return;
  $("more").setAttribute("aria-label", more.words);
  $("more-sign").textContent = more.sign;
}

export const tapMore = () => MORE[phone.view].tap();
