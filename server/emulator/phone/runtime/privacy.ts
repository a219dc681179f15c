// Consent to the privacy contract, required before any API that reads personal data.

import type { Shell } from "./shell.ts";

export const REFUSED = { errno: 104, errMsg: "privacy permission is not authorized" };

interface Resolution {
  event: "exposureAuthorization" | "agree" | "disagree";
  buttonId?: string;
}
/** After a refusal WeChat does not show the popup again for this time. */
const QUIET_MS = 10_000;
type Listener = (resolve: (resolution: Resolution) => void, info: { referrer: string }) => void;

export class Privacy {
  /** Set by wx.onNeedPrivacyAuthorization; without it WeChat shows its own popup. */
  listener: Listener | null = null;
  private readonly shell: Shell;
  private tappedAgree = false;
  private refusedAt = -Infinity;

  constructor(shell: Shell) {
    this.shell = shell;
  }

  state(): Promise<{ needAuthorization: boolean; privacyContractName: string }> {
    return this.shell.ask("privacyState", {});
  }

  /** Resolves when the person has agreed; rejects with WeChat's number otherwise. */
  async ensure(referrer: string): Promise<void> {
    const { needAuthorization } = await this.state();
    if (!needAuthorization) return;
    if (Date.now() - this.refusedAt < QUIET_MS) throw REFUSED;
    const agreed = this.listener ? await this.asked(this.listener, referrer) : await this.popup();
    if (!agreed) throw REFUSED;
  }

  /** Called when the agree button was tapped. */
  async agreeByButton(): Promise<void> {
    this.tappedAgree = true;
    await this.shell.ask("agreePrivacy", {});
  }

  private async popup(): Promise<boolean> {
    const { agreed } = await this.shell.ask("privacy", {});
    if (!agreed) this.refusedAt = Date.now();
    return agreed;
  }

  private asked(listener: Listener, referrer: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.tappedAgree = false;
      const done = ({ event }: Resolution): void => {
        if (event === "agree") resolve(this.tappedAgree);
        else if (event === "disagree") {
          this.refusedAt = Date.now();
          resolve(false);
        }
      };
      listener(done, { referrer });
    });
  }
}
