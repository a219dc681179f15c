// Moves its children out of the page's flow, above everything in the page.

import type { ElementKind } from "../runtime/element.ts";

export const rootPortal: ElementKind = { tag: "root-portal", shell: "slot", properties: { enable: true }, reflect: ["enable"] };
