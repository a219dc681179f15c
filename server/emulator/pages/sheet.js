// A sheet over the phone: one at a time, closed by its buttons or by Escape.

import { make } from "./dom.js";
import { onBack } from "./history.js";

let before = Promise.resolve();

onBack(() => {
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  open?.close();
  return open !== undefined;
});

/**
 * Shows a sheet after the previous one is closed; resolves to its result, null for Escape.
 * `fill(done)` returns the nodes inside; each of `buttons` is [words, value, look]. A value may be
 * a function; when it returns undefined the sheet stays open.
 */
export function sheet(facts) {
  const answer = before.then(() => show(facts));
  before = answer.then(() => undefined);
  return answer;
}

function show({ title, fill = () => [], buttons = [["关闭", null, "plain"]] }) {
  return new Promise((resolve) => {
    const dialog = make("dialog", { class: "sheet", "aria-labelledby": "asked-title" });
    let value = null;
    const done = (answer) => {
      value = answer;
      dialog.close();
    };
    const feet = buttons.map(([words, answer, look]) => make("button", {
      class: look, type: "button",
      tap: () => {
        const said = typeof answer === "function" ? answer() : answer;
        if (said !== undefined) done(said);
      },
    }, words));
    dialog.append(make("h2", { id: "asked-title" }, title), ...fill(done),
      make("div", { class: "feet" }, ...feet));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(value);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
