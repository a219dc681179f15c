// A picture over native elements; this phone has none, so it is a plain picture.

import type { ElementKind } from "../runtime/element.ts";
import { image } from "./image.ts";

export const coverImage: ElementKind = { ...image, tag: "cover-image" };
