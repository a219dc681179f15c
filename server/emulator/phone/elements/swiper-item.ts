// One item of a swiper.

import type { ElementKind } from "../runtime/element.ts";

export const swiperItem: ElementKind = { tag: "swiper-item", shell: "slot", properties: { itemId: "", skipHiddenItemLayout: false }, reflect: ["itemId"] };
