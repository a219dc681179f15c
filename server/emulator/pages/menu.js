// The official account's menu at the bottom of its chat.

import { scan } from "./asks.js";
import { $, make, say, shown } from "./dom.js";
import { act } from "./net.js";
import { openAddress } from "./program.js";
import { phone } from "./state.js";

const FROM_MENU = 1035;

export function drawMenu(buttons) {
  const fresh = JSON.stringify(buttons);
  if (fresh !== phone.menu) {
    phone.menu = fresh;
    phone.typing = buttons.length === 0;
    $("menu").replaceChildren(...buttons.map(topButton));
  }
  shown("swap", buttons.length > 0);
  shown("menu", !phone.typing);
  shown("composer", phone.typing);
  $("swap").textContent = phone.typing ? "菜单" : "打字";
  $("swap").setAttribute("aria-label", phone.typing ? "换成菜单" : "换成打字");
}

export function swap() {
  phone.typing = !phone.typing;
  closeMenus();
  drawMenu(JSON.parse(phone.menu));
  if (phone.typing) $("words").focus();
}

/** Closes open menus; focus returns to the button if it was inside. */
export function closeMenus() {
  for (const list of document.querySelectorAll(".sub:not([hidden])")) {
    const opener = list.previousElementSibling;
    if (list.contains(document.activeElement)) opener.focus();
    list.hidden = true;
    opener.setAttribute("aria-expanded", "false");
  }
}

function topButton(button, place) {
  if (!button.sub_button?.length) return make("li", {}, leaf(button));
  const id = `sub-${place}`;
  const list = make("ul", { id, class: "sub", hidden: true, "aria-label": button.name },
    ...button.sub_button.map((sub) => make("li", {}, leaf(sub))));
  const opener = make("button", {
    class: "opens", type: "button", "aria-expanded": "false", "aria-controls": id,
    tap: () => {
      const open = list.hidden;
      closeMenus();
      list.hidden = !open;
      opener.setAttribute("aria-expanded", String(open));
    },
  }, button.name);
  return make("li", {}, opener, list);
}

/** Opens the scanner, and sends the scanned text to the account. */
async function scanFor(button) {
  const found = await scan();
  if (found === null) return;
  act("message", { event: button.type, event_key: button.key, scan_result: found.result });
}

const TAPS = {
  scancode_waitmsg: scanFor,
  scancode_push: scanFor,
  click: (button) => act("message", { event: "CLICK", event_key: button.key }),
  view: (button) => {
    say(`菜单地址：${button.url}`);
    act("message", { event: "VIEW", event_key: button.url });
  },
  miniprogram: (button) => {
    act("message", { event: "view_miniprogram", event_key: button.pagepath });
    openAddress(button.pagepath, FROM_MENU);
  },
};

function leaf(button) {
  const does = TAPS[button.type];
  const tap = () => {
    closeMenus();
    does(button);
  };
  return make("button", { type: "button", disabled: !does, tap: does && tap }, button.name);
}
