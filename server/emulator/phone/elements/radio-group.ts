// A group of radios; the radios themselves hold the logic.

import type { ElementKind } from "../runtime/element.ts";

export const radioGroup: ElementKind = { tag: "radio-group", shell: "slot", properties: { name: "" } };
