// The subscription sheet: at most five templates, each accepted or refused, once or always. The
// answers are an open list; the sheet offers every known one and an unknown one.

import { make } from "./dom.js";
import { inTurn, told } from "./net.js";
import { sheet } from "./sheet.js";
import { phone } from "./state.js";

const WORDS = [["accept", "允许"], ["acceptWithAudio", "允许，并开语音提醒"],
  ["acceptWithAlert", "允许，并弹窗提醒"], ["acceptWithForcePush", "允许，并强提醒"],
  ["acknowledge", "未知的词 acknowledge"]];
const NO_TAP = { errMsg: "can only be invoked by user TAP gesture." };

export async function subscribe({ tmplIds, tapped }) {
  if (tapped !== true) throw NO_TAP;
  const { templates, results } = await inTurn(() => told("sheet", { templates: tmplIds }));
  const answer = templates.length ? await asking(templates, phone.program.name) : { results: {}, keep: false };
  const all = { ...results, ...answer.results };
  await inTurn(() => told("consent", { results: all, keep: answer.keep }));
  return { results: all };
}

/** The sheet of the official account's notices, in an article or a web page. */
export async function subscribeNotices(place, name) {
  const { templates } = await inTurn(() => told("sheet", { place }));
  const { results } = await asking(templates, name);
  await inTurn(() => told("consent", { results, place }));
}

async function asking(templates, name) {
  const boxes = templates.map((template) =>
    make("input", { type: "checkbox", checked: true, "data-template": template.id }));
  const keep = make("input", { type: "checkbox" });
  const word = make("select", { id: "consent-word" },
    ...WORDS.map(([value, words]) => make("option", { value }, words)));
  const all = (yes) => ({
    keep: keep.checked,
    results: Object.fromEntries(boxes.map((box) =>
      [box.dataset.template, yes && box.checked ? word.value : "reject"])),
  });
  const said = await sheet({
    title: `${name} 申请向您发送以下消息`,
    fill: () => [
      make("ul", { class: "plainlist" }, ...templates.map((template, at) =>
        make("li", {}, make("label", { class: "tick" }, boxes[at],
          make("span", {}, template.title, make("br"),
            make("span", { class: "last" }, template.names.join("、"))))))),
      make("label", { class: "tick" }, keep, "总是保持以上选择，不再询问"),
      make("label", { class: "choose", for: "consent-word" }, "点“允许”时微信回的词", word),
    ],
    buttons: [["允许", () => all(true), "main"], ["拒绝", () => all(false), "plain"]],
  });
  return said ?? { ...all(false), keep: false };
}
