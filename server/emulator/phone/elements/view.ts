// A block element.

import type { ElementKind } from "../runtime/element.ts";
import { hoverable } from "./parts/hover.ts";

export const view: ElementKind = { tag: "view", shell: "slot", mount: (host) => hoverable(host) };
