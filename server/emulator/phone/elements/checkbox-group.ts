// Several checkboxes; each checkbox does the work.

import type { ElementKind } from "../runtime/element.ts";

export const checkboxGroup: ElementKind = { tag: "checkbox-group", shell: "slot", properties: { name: "" } };
