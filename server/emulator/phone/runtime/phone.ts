// All parts of one running mini-program, passed to elements and APIs.

import type { AppLife } from "./app.ts";
import type { Chrome } from "./chrome.ts";
import type { Files } from "./files.ts";
import type { Load } from "./modules.ts";
import type { Overlay } from "./overlay.ts";
import type { Packages } from "./packages.ts";
import type { Program } from "./program.ts";
import type { Router } from "./router.ts";
import type { Shell, Start } from "./shell.ts";
import type { Taps } from "./taps.ts";
import type { Privacy } from "./privacy.ts";
import type { Sharing } from "./sharing.ts";
import type { Theme } from "./theme.ts";

export interface Phone {
  readonly program: Program;
  readonly shell: Shell;
  readonly app: AppLife;
  readonly router: Router;
  readonly packages: Packages;
  /** Runs a module of the program, once. */
  readonly load: Load;
  readonly chrome: Chrome;
  readonly theme: Theme;
  readonly overlay: Overlay;
  readonly files: Files;
  readonly taps: Taps;
  readonly privacy: Privacy;
  readonly sharing: Sharing;
  /** The newest cold or hot start. */
  start: Start;
  /** The functions of `wx`, for `wx.canIUse`. */
  readonly api: Record<string, unknown>;
}
