// A view over native elements; this phone has none, so it is a plain view.

import type { ElementKind } from "../runtime/element.ts";

export const coverView: ElementKind = { tag: "cover-view", shell: "slot", properties: { scrollTop: null } };
