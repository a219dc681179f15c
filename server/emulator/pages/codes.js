// The scanner: lists every issued code for a tap, and accepts a code's text.

import { $, make, redraw, say, shown } from "./dom.js";
import { act, ask } from "./net.js";
import { openProgram } from "./program.js";
import { CODES_SHOWN, moment, phone } from "./state.js";

const FROM_CODE = 1047;

export async function issued() {
  const { body } = await ask("/_emu/codes");
  return body.items.reverse();
}

/** Finds the code of a pasted text: its ticket, its address or its scene. */
export function codeOf(items, text) {
  return items.find((code) => [code.ticket, code.url, code.scene].includes(text));
}

export async function readCodes() {
  const items = await issued();
  phone.codes = items.length;
  redraw($("codes"), items.slice(0, phone.shownCodes).map((code) => codeCard(code, scan)), "ticket");
  shown("codeless", items.length === 0);
  shown("older", items.length > phone.shownCodes);
}

export function codeCard(code, tap) {
  const gone = code.expires_at !== null && code.expires_at <= phone.now;
  const kind = code.kind === "WXA_CODE" ? "小程序码" : "公众号二维码";
  const picture = gone ? make("span", { class: "gone" }, "已过期") : pictureOf(code);
  const until = code.expires_at === null ? "长期有效" : `${moment(code.expires_at)} 到期`;
  return make("li", {}, make("button",
    { class: "code", type: "button", disabled: gone, "data-ticket": code.ticket, tap: () => tap(code) },
    picture, make("strong", {}, code.scene), make("span", {}, kind), make("span", {}, until)));
}

function pictureOf(code) {
  return make("img", {
    src: `/mpweb/cgi-bin/showqrcode?ticket=${encodeURIComponent(code.ticket)}`,
    alt: "", loading: "lazy", width: "160", height: "160",
  });
}

/** The query of a page opened by a code: the scene stays encoded, as WeChat leaves it. */
export const queryOf = (scene) => ({ scene: encodeURIComponent(scene) });

/** Scans a code; a person who does not follow sees the account's name card first. */
async function scan(code) {
  if (code.kind !== "WXA_CODE") location.hash = "chat";
  if (code.kind !== "WXA_CODE" && !phone.owner.subscribed) {
    phone.scanned = code.ticket;
    return;
  }
  const result = await act("scan", { ticket: code.ticket });
  if (result?.open)
    openProgram({ path: result.open.page, query: queryOf(result.open.scene), scene: FROM_CODE });
}

export function older() {
  phone.shownCodes += CODES_SHOWN;
  phone.codes = null;
}

export async function paste(event) {
  event.preventDefault();
  const text = $("pasted").value.trim();
  if (!text) return;
  const code = codeOf(await issued(), text);
  if (code === undefined) {
    say("这不是模拟微信发出的二维码。");
    return;
  }
  $("pasted").value = "";
  await scan(code);
}
