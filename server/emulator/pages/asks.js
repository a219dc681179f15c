// Handlers for the requests of the mini-program's runtime, under the names in SHELL.md.

import { make } from "./dom.js";
import { goHome } from "./history.js";
import { codeCard, codeOf, issued, queryOf } from "./issued_codes.js";
import { inTurn, told } from "./net.js";
import { agree, avatar, contract, nickname, nicknameReview, phoneNumber, privacy, privacyState }
  from "./profile.js";
import { phoneCall, position, showMap } from "./place.js";
import { share } from "./share.js";
import { sheet } from "./sheet.js";
import { subscribe } from "./subscribe.js";

const SINGLE_PAGE = { errCode: -1, errMsg: "not allowed in single page mode" };

export const answers = {
  login: fullOnly(() => told("login_code")),
  checkSession: fullOnly(() => told("check_session")),
  groupEnter: fullOnly(groupEnter),
  subscribe: fullOnly(subscribe),
  setting,
  phoneNumber: fullOnly(phoneNumber),
  avatar: fullOnly(avatar),
  nickname: fullOnly(nickname),
  nicknameReview: fullOnly(nicknameReview),
  privacyState,
  privacy: fullOnly(privacy),
  agreePrivacy: agree,
  privacyContract: contract,
  scan: fullOnly(scan),
  position: fullOnly(position),
  map: fullOnly(showMap),
  phoneCall: fullOnly(phoneCall),
  share: fullOnly(share),
  shareFile: fullOnly(shareFile),
  officialAccount: fullOnly(officialAccount),
  close,
};

/** Wraps a handler that must fail in the timeline's single page. */
function fullOnly(answer) {
  return (facts, start) => {
    if (start.mode === "singlePage") throw SINGLE_PAGE;
    return answer(facts, start);
  };
}

function officialAccount() {
  location.hash = "chat";
  return {};
}

function close() {
  goHome();
  return {};
}

async function groupEnter(_facts, start) {
  const found = await told("group_enter_info", { post: start.post ?? null });
  return { encryptedData: found.encrypted_data, iv: found.iv };
}

async function setting() {
  const settings = await inTurn(() => told("settings"));
  return { mainSwitch: settings.main_switch, itemSettings: settings.kept };
}

/** Sends a file to a chat; here it is downloaded to the computer instead. */
async function shareFile({ file, name }) {
  const taken = await sheet({
    title: "转发文件",
    fill: () => [make("p", {}, `${name}（${Math.ceil(file.size / 1024)} KB）`)],
    buttons: [["存到这台电脑", true, "main"], ["取消", null, "plain"]],
  });
  if (!taken) return { taken: false };
  const url = URL.createObjectURL(file);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return { taken: true };
}

/** The scanner: resolves to the scanned text, null when it was closed. */
export async function scan() {
  const items = await issued();
  return sheet({
    title: "扫一扫",
    fill: (done) => {
      const input = make("input", { type: "text", "aria-label": "二维码内容", autocomplete: "off",
        placeholder: "粘贴二维码内容" });
      const form = make("form", { class: "pair" }, input,
        make("button", { class: "main", type: "submit" }, "确定"));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const text = input.value.trim();
        if (text) done(scanned(codeOf(items, text), text));
      });
      return [form, make("ul", { class: "codes", "aria-label": "二维码" },
        ...items.slice(0, 20).map((code) => codeCard(code, () => done(scanned(code, code.url)))))];
    },
    buttons: [["取消", null, "plain"]],
  });
}

function scanned(code, result) {
  if (code?.kind !== "WXA_CODE") return { result: code?.url ?? result, scanType: "QR_CODE", path: "" };
  const path = `${code.page}?scene=${queryOf(code.scene).scene}`;
  return { result: code.url, scanType: "WX_CODE", path };
}
