// A view over native elements; here there are none, so a view.

import type { ElementKind } from "../runtime/element.ts";

export const coverView: ElementKind = { tag: "cover-view", shell: "slot", properties: { scrollTop: null } };
