// Updates: this phone always runs the newest version, so the manager reports none.

import type { Family } from "./api.ts";

export const update: Family = (_phone, add) => {
  add.now("getUpdateManager", () => ({
    onCheckForUpdate: (hear: (facts: { hasUpdate: boolean }) => void) => void window.setTimeout(() => hear({ hasUpdate: false }), 0),
    onUpdateReady: () => undefined,
    onUpdateFailed: () => undefined,
    applyUpdate: () => location.reload(),
  }));
};
