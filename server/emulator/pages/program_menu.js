// The menu behind the mini-program's three dots.

import { make, say } from "./dom.js";
import { refresh, told } from "./net.js";
import { noticeSettings } from "./notices.js";
import { boot, running } from "./program.js";
import { share } from "./share.js";
import { sheet } from "./sheet.js";
import { phone } from "./state.js";

/** The menu that WeChat shows for every mini-program. */
export async function programMenu() {
  const program = running();
  const offers = program?.menu() ?? { share: false, timeline: false };
  const chosen = await sheet({
    title: phone.program.name,
    fill: (done) => [
      ["转发给朋友", "share", offers.share], ["分享到朋友圈", "timeline", offers.timeline],
      ["通知设置", "notices", true], ["重新进入小程序", "again", true],
    ].map(([words, value, offered]) => make("button",
      { class: "choice wide", type: "button", disabled: !offered, tap: () => done(value) }, words)),
    buttons: [["取消", null, "plain"]],
  });
  if (chosen === "notices") await noticeSettings();
  if (chosen === "again") boot();
  if (chosen === "share" || chosen === "timeline") await fromMenu(program, chosen);
}

async function fromMenu(program, chosen) {
  const facts = await program.share("menu");
  if (facts === null) return;
  if (chosen === "share") await share({ ...facts, timeline: null });
  else if (facts.timeline !== null) await toTimeline(facts.timeline);
}

async function toTimeline({ title, path, imageUrl }) {
  await told("share", { to: { timeline: true }, title, path, image: imageUrl });
  say("已发到朋友圈");
  refresh();
}
