// The scanner: lists every issued code for a tap, and accepts a code's text.

import { $, redraw, say, shown } from "./dom.js";
import { codeCard, codeOf, issued, queryOf } from "./issued_codes.js";
import { act } from "./net.js";
import { openProgram } from "./program.js";
import { CODES_SHOWN, phone } from "./state.js";

const FROM_CODE = 1047;

export async function readCodes() {
  const items = await issued();
  phone.codes = items.length;
  redraw($("codes"), items.slice(0, phone.shownCodes).map((code) => codeCard(code, scan)), "ticket");
  shown("codeless", items.length === 0);
  shown("older", items.length > phone.shownCodes);
}

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
