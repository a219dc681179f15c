// A picture over native elements; here there are none, so a picture.

import type { ElementKind } from "../runtime/element.ts";
import { image } from "./image.ts";

export const coverImage: ElementKind = { ...image, tag: "cover-image" };
