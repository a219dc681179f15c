// The privacy contract.

import type { Family } from "./api.ts";

export const privacy: Family = (phone, add) => {
  add.later("getPrivacySetting", () => phone.privacy.state());
  add.later("openPrivacyContract", () => phone.shell.ask("privacyContract", {}));
  add.later("requirePrivacyAuthorize", () => phone.privacy.ensure("requirePrivacyAuthorize"));
  add.now("onNeedPrivacyAuthorization", (listener: never) => void (phone.privacy.listener = listener));
};
