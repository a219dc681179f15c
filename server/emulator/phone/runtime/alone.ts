// The shell of a mini-program opened without the phone around it: simple answers from a plain
// dialog, the login code from the emulator.

import type { Overlay } from "./overlay.ts";
import type { Asks, Shared, Shell, Start } from "./shell.ts";

type Answers = { [K in keyof Asks]: (facts: Asks[K][0]) => Promise<Asks[K][1]> };

/** Parses `?person=…&path=pages/a?b=1&scene=1047` of the address. */
export function startOf(search: string): Start {
  const asked = new URLSearchParams(search);
  const [path = "", query = ""] = (asked.get("path") ?? "").replace(/^\//, "").split("?");
  const scene = Number(asked.get("scene") ?? 1001);
  const ticket = asked.get("shareTicket");
  return {
    person: asked.get("person") ?? "",
    path,
    query: Object.fromEntries(new URLSearchParams(query)),
    scene,
    ...(ticket === null ? {} : { shareTicket: ticket }),
    mode: scene === 1154 ? "singlePage" : "default",
  };
}

export function aloneShell(start: Start, overlay: Overlay): Shell {
  const answers = answersOf(start, overlay);
  return { start, clockAhead: 0, join: () => undefined, ask: (kind, facts) => answers[kind](facts) };
}

function answersOf(start: Start, overlay: Overlay): Answers {
  const consent = { agreed: false };
  const agree = async (content: string): Promise<boolean> =>
    (await overlay.dialog({ title: "微信", content, confirmText: "允许", cancelText: "拒绝" })).confirm;
  return {
    login: async () => ({ code: await loginCode(start.person) }),
    checkSession: async () => ({ valid: true }),
    groupEnter: async () => Promise.reject({ errCode: 40097, errMsg: "invalid args" }),
    subscribe: async ({ tmplIds, tapped }) => {
      if (!tapped) throw { errCode: -1, errMsg: "can only be invoked by user TAP gesture." };
      const answer = (await agree("允许发送订阅消息？")) ? "accept" : "reject";
      return { results: Object.fromEntries(tmplIds.map((id) => [id, answer])) } as Asks["subscribe"][1];
    },
    setting: async () => ({ mainSwitch: true, itemSettings: {} }),
    phoneNumber: async () => ({ code: null }),
    avatar: async () => ({ file: null }),
    nickname: async () => ({ name: null, pass: true }),
    nicknameReview: async () => ({ pass: true }),
    privacyState: async () => ({ needAuthorization: !consent.agreed, privacyContractName: "《隐私保护指引》" }),
    privacy: async () => ({ agreed: (consent.agreed = await agree("同意隐私保护指引？")) }),
    agreePrivacy: async () => ((consent.agreed = true), {}),
    privacyContract: async () => (await overlay.dialog({ content: "隐私保护指引", showCancel: false }), {}),
    scan: async () => scanned(overlay),
    share: async (shared) => ({ to: (await agree(`转发：${(shared as Shared).card.title}`)) ? "person" : null }),
    shareFile: async () => ({ taken: false }),
    position: async () => ((await agree("允许获取模糊位置？")) ? { latitude: 22.817, longitude: 108.3665 } : null),
    map: async ({ name }) => (await overlay.dialog({ content: `地图：${name}`, showCancel: false }), {}),
    phoneCall: async ({ phoneNumber }) => ({ called: await agree(`拨打 ${phoneNumber}？`) }),
    officialAccount: async () => ({}),
    close: async () => ({}),
  };
}

async function scanned(overlay: Overlay): Promise<Asks["scan"][1]> {
  const { confirm, content } = await overlay.dialog({ title: "扫码内容", editable: true });
  return confirm && content ? { result: content, scanType: "QR_CODE", path: "" } : null;
}

async function loginCode(person: string): Promise<string> {
  const answer = await fetch("/_emu/login_code", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ person }),
  });
  const { code } = (await answer.json()) as { code?: string };
  if (!code) throw { errCode: -1, errMsg: `nobody is ${person || "signed in to this phone"}` };
  return code;
}
