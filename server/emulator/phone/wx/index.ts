// `wx`: all families of functions; records each access to an unknown name.

import type { Phone } from "../runtime/phone.ts";
import { missing } from "../runtime/trouble.ts";
import { adder, type Family } from "./api.ts";
import { account } from "./account.ts";
import { animation } from "./animation.ts";
import { audio } from "./audio.ts";
import { canvas } from "./canvas.ts";
import { clipboard } from "./clipboard.ts";
import { events } from "./events.ts";
import { files } from "./files.ts";
import { image } from "./image.ts";
import { launch } from "./launch.ts";
import { leaving } from "./leaving.ts";
import { login } from "./login.ts";
import { navigation } from "./navigation.ts";
import { network } from "./request.ts";
import { page } from "./page.ts";
import { place } from "./place.ts";
import { privacy } from "./privacy.ts";
import { scan } from "./scan.ts";
import { setting } from "./setting.ts";
import { share } from "./share.ts";
import { storage } from "./storage.ts";
import { subscribe } from "./subscribe.ts";
import { system } from "./system.ts";
import { ui } from "./ui.ts";
import { bars } from "./bars.ts";
import { update } from "./update.ts";
import { upload } from "./upload.ts";
import { vibrate } from "./vibrate.ts";

const FAMILIES: Family[] = [
  account, animation, audio, bars, canvas, clipboard, events, files, image, launch, leaving, login, navigation, network, page, place, privacy, scan, setting,
  share,  storage, subscribe, system, ui, update, upload, vibrate,
];

/** Creates the object that programs call `wx`. */
export function makeWx(phone: Phone): object {
  const add = adder(phone);
  for (const family of FAMILIES) family(phone, add);
  return new Proxy(phone.api, {
    get(api, name) {
      if (typeof name === "string" && !(name in api)) missing(`wx.${name}`);
      return api[name as string];
    },
  });
}
