// A group of checkboxes; the checkboxes themselves hold the logic.

import type { ElementKind } from "../runtime/element.ts";

export const checkboxGroup: ElementKind = { tag: "checkbox-group", shell: "slot", properties: { name: "" } };
