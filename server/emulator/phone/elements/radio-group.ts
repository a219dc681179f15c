// One of several radios; each radio does the work.

import type { ElementKind } from "../runtime/element.ts";

export const radioGroup: ElementKind = { tag: "radio-group", shell: "slot", properties: { name: "" } };
