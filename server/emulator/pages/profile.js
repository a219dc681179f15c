// Personal data for the mini-program: phone number, avatar, nickname, and the consent before them.

import { face, make } from "./dom.js";
import { told } from "./net.js";
import { sheet } from "./sheet.js";
import { person, phone } from "./state.js";

const SIDE = 132, LONGEST_NAME = 20;

const contractName = () => `《${phone.program.name}小程序隐私保护指引》`;

export async function privacyState() {
  const { agreed } = await told("privacy");
  return { needAuthorization: !agreed, privacyContractName: contractName() };
}

export async function privacy() {
  if ((await told("privacy")).agreed) return { agreed: true };
  let read = true;
  while (read) {
    const answer = await sheet({
      title: "用户隐私保护提示",
      fill: (done) => [
        make("p", {}, `在您使用${phone.program.name}之前，请仔细阅读`,
          make("button", { class: "jump", type: "button", tap: () => done("read") }, contractName()),
          "。如您同意，请点“同意”开始使用。"),
      ],
      buttons: [["同意", "agree", "main"], ["拒绝", "refuse", "plain"]],
    });
    read = answer === "read";
    if (read) await contract();
    else if (answer === "agree") return told("privacy", { agreed: true });
  }
  return { agreed: false };
}

export async function agree() {
  await told("privacy", { agreed: true });
  return {};
}

export async function contract() {
  await sheet({
    title: contractName(),
    fill: () => [
      make("p", {}, "真实的微信在这里显示运营者在小程序管理后台填写的隐私保护指引。"),
      make("p", {}, "模拟微信没有管理后台，只记住您是否同意。"),
    ],
  });
  return {};
}

export async function phoneNumber() {
  const yes = await sheet({
    title: `${phone.program.name} 申请使用您的手机号`,
    fill: () => [make("p", { class: "big" }, phone.number), make("p", { class: "last" }, "微信绑定号码")],
    buttons: [["允许", true, "main"], ["不允许", false, "plain"]],
  });
  return yes ? told("phone_code") : { code: null };
}

export async function avatar() {
  const own = face(phone.owner.name, person);
  const file = await sheet({
    title: "选择头像",
    fill: (done) => {
      const picker = (words, facts) => {
        const input = make("input", { type: "file", accept: "image/*", class: "picker", ...facts });
        input.addEventListener("change", () => input.files[0] && done(input.files[0]));
        return make("label", { class: "choice wide" }, input, words);
      };
      return [
        make("button", { class: "choice wide", type: "button", tap: async () => done(await picture(own)) },
          own, "用微信头像"),
        picker("从相册选择", {}),
        picker("拍照", { capture: "user" }),
      ];
    },
    buttons: [["取消", null, "plain"]],
  });
  return { file };
}

/** Draws the person's avatar as a picture: the same letter and colour as in the chat. */
function picture(own) {
  const canvas = make("canvas", { width: SIDE, height: SIDE });
  const brush = canvas.getContext("2d");
  const { backgroundColor, color, fontFamily } = getComputedStyle(own);
  brush.fillStyle = backgroundColor;
  brush.fillRect(0, 0, SIDE, SIDE);
  Object.assign(brush, { fillStyle: color, textAlign: "center", textBaseline: "middle" });
  brush.font = `600 ${SIDE / 2}px ${fontFamily}`;
  brush.fillText(own.textContent, SIDE / 2, SIDE / 2);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
}

/** Checks a typed nickname as WeChat does. */
export const nicknameReview = ({ name }) => told("nickname", { name });

export async function nickname() {
  const name = await sheet({
    title: "填写昵称",
    fill: (done) => {
      const input = make("input", { type: "text", "aria-label": "昵称", maxlength: LONGEST_NAME,
        autocomplete: "off", placeholder: "请输入昵称" });
      const form = make("form", { class: "pair" }, input,
        make("button", { class: "main", type: "submit" }, "确定"));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (input.value.trim()) done(input.value.trim());
      });
      return [
        make("button", { class: "choice wide", type: "button", tap: () => done(phone.owner.name) },
          `用微信昵称：${phone.owner.name}`),
        form,
      ];
    },
    buttons: [["取消", null, "plain"]],
  });
  return name === null ? { name, pass: true } : told("nickname", { name });
}
