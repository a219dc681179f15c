// All built-in elements; each has its own file, named after its tag.

import type { ElementKind } from "../runtime/element.ts";
import { button } from "./button.ts";
import { canvas } from "./canvas.ts";
import { checkbox } from "./checkbox.ts";
import { checkboxGroup } from "./checkbox-group.ts";
import { coverImage } from "./cover-image.ts";
import { coverView } from "./cover-view.ts";
import { form } from "./form.ts";
import { icon } from "./icon.ts";
import { image } from "./image.ts";
import { input } from "./input.ts";
import { label } from "./label.ts";
import { navigationBar } from "./navigation-bar.ts";
import { navigator } from "./navigator.ts";
import { officialAccount } from "./official-account.ts";
import { openData } from "./open-data.ts";
import { pageContainer } from "./page-container.ts";
import { pageMeta } from "./page-meta.ts";
import { picker } from "./picker.ts";
import { pickerView } from "./picker-view.ts";
import { pickerViewColumn } from "./picker-view-column.ts";
import { progress } from "./progress.ts";
import { radio } from "./radio.ts";
import { radioGroup } from "./radio-group.ts";
import { richText } from "./rich-text.ts";
import { rootPortal } from "./root-portal.ts";
import { scrollView } from "./scroll-view.ts";
import { slider } from "./slider.ts";
import { swiper } from "./swiper.ts";
import { swiperItem } from "./swiper-item.ts";
import { switchElement } from "./switch.ts";
import { text } from "./text.ts";
import { textarea } from "./textarea.ts";
import { view } from "./view.ts";

export const elements: readonly ElementKind[] = [
  button, canvas, checkbox, checkboxGroup, coverImage, coverView, form, icon, image, input, label, navigationBar,
  navigator, officialAccount, openData, pageContainer, pageMeta, picker, pickerView, pickerViewColumn, progress,
  radio, radioGroup, richText, rootPortal, scrollView, slider, swiper, swiperItem, switchElement, text, textarea,
  view,
];
