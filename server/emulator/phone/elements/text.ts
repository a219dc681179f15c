// Text; line breaks are preserved.

import type { ElementKind } from "../runtime/element.ts";

export const text: ElementKind = { tag: "text", shell: "slot", properties: { selectable: false, userSelect: false, space: "", decode: false, overflow: "", maxLines: 0 }, reflect: ["selectable", "userSelect", "space"] };
