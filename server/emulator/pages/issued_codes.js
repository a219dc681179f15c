// The issued codes, each as a card.

import { make } from "./dom.js";
import { ask } from "./net.js";
import { moment, phone } from "./state.js";

export async function issued() {
  const { body } = await ask("/_emu/codes");
  return body.items.reverse();
}

/** Finds the code of a pasted text: its ticket, its address or its scene. */
export function codeOf(items, text) {
  return items.find((code) => [code.ticket, code.url, code.scene].includes(text));
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
