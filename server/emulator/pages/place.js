// The sheets for the position, the map and a telephone call.

import { make } from "./dom.js";
import { sheet } from "./sheet.js";
import { phone } from "./state.js";

/** The position of a computer that reports none: the capital of the campaign's province. */
const AT_FIRST = { latitude: 22.817, longitude: 108.3665 };
const DEGREES = { latitude: ["纬度", 90], longitude: ["经度", 180] };

/** Asks for the position; the person may choose any. Remembers it while the page is open. */
export async function position({ purpose }) {
  const fields = Object.entries(DEGREES).map(([name, [words, most]]) => [name, most, make("input", {
    type: "number", step: "any", min: String(-most), max: String(most), "aria-label": words,
    value: String((phone.position ?? AT_FIRST)[name]),
  })]);
  const allow = () => {
    if (fields.some(([, , input]) => !input.reportValidity() || input.value === "")) return undefined;
    return Object.fromEntries(fields.map(([name, , input]) => [name, Number(input.value)]));
  };
  const chosen = await sheet({
    title: `${phone.program.name} 申请获取您的模糊位置`,
    fill: () => [
      ...(purpose ? [make("p", {}, purpose)] : []),
      ...fields.map(([name, , input]) => make("label", {}, DEGREES[name][0], input)),
    ],
    buttons: [["允许", allow, "main"], ["拒绝", false, "plain"]],
  });
  if (chosen) phone.position = chosen;
  return chosen || null;
}

export async function showMap({ latitude, longitude, name, address }) {
  await sheet({
    title: name || "地图",
    fill: () => [
      ...(address ? [make("p", {}, address)] : []),
      make("p", { class: "last" }, `纬度 ${latitude.toFixed(6)}，经度 ${longitude.toFixed(6)}`),
      make("p", { class: "last" }, "真实的微信在这里显示地图和导航。"),
    ],
  });
  return {};
}

export async function phoneCall({ phoneNumber }) {
  const called = await sheet({
    title: "拨打电话",
    fill: () => [make("p", { class: "big" }, phoneNumber)],
    buttons: [["呼叫", true, "main"], ["取消", false, "plain"]],
  });
  return { called: called === true };
}
