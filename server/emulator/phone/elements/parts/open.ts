// `open-type` of a button: the action of WeChat on a tap.

import type { Host } from "../../runtime/element.ts";
import { REFUSED } from "../../runtime/privacy.ts";
import { isAlone, pointElsewhere } from "../../runtime/single.ts";
import { failure } from "../../runtime/trouble.ts";

type Open = (host: Host) => Promise<void>;

const OPEN: Record<string, Open> = {
  share: (host) => host.phone.sharing.open(targetOf(host)),
  getPhoneNumber,
  chooseAvatar,
  agreePrivacyAuthorization: async (host) => {
    await host.phone.privacy.agreeByButton();
    host.emit("agreeprivacyauthorization", {});
  },
  openSetting: async (host) => {
    const { mainSwitch, itemSettings } = await host.phone.shell.ask("setting", {});
    host.emit("opensetting", { authSetting: {}, subscriptionsSetting: { mainSwitch, itemSettings } });
  },
};
// These open a conversation or an app outside the mini-program, which this phone does not emulate.
const QUIET = new Set(["contact", "feedback", "launchApp", "liveActivity"]);

/**
 * Runs the button's open-types, joined by `|`. In the timeline's single page it only shows a hint.
 */
export async function openByType(host: Host): Promise<void> {
  const names = host.text("openType").split("|").filter(Boolean);
  if (names.length > 0 && isAlone(host.phone)) return pointElsewhere(host.phone);
  for (const name of names) {
    const open = OPEN[name];
    if (open) await open(host);
    else if (!QUIET.has(name)) failure(`button: open-type ${name} is not in this phone`);
  }
}

const targetOf = (host: Host): object => {
  const { id, dataset } = (host.el as unknown as { __wxElement: { id: string; dataset: object } }).__wxElement;
  return { id, dataset };
};

async function getPhoneNumber(host: Host): Promise<void> {
  if (!(await allowed(host, "getPhoneNumber", "getphonenumber"))) return;
  const { code } = await host.phone.shell.ask("phoneNumber", {});
  if (code === null) host.emit("getphonenumber", { errMsg: "getPhoneNumber:fail user deny" });
  else host.emit("getphonenumber", { code, errMsg: "getPhoneNumber:ok" });
}

async function chooseAvatar(host: Host): Promise<void> {
  if (!(await allowed(host, "chooseAvatar", "chooseavatar"))) return;
  const { file } = await host.phone.shell.ask("avatar", {});
  if (file) host.emit("chooseavatar", { avatarUrl: host.phone.files.keep(file, file.type.split("/").at(-1) || "png") });
}

/** Whether the person agreed to the privacy contract; sends a refusal to the page. */
async function allowed(host: Host, referrer: string, event: string): Promise<boolean> {
  try {
    await host.phone.privacy.ensure(referrer);
    return true;
  } catch (refusal) {
    if (refusal !== REFUSED) throw refusal;
    host.emit(event, { errMsg: `${referrer}:fail ${REFUSED.errMsg}`, errno: REFUSED.errno });
    return false;
  }
}
