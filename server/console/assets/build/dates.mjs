// A calendar beside each field with `data-calendar` ("date", "datetime" or "range"), in Chinese,
// with weeks that begin on Monday. Without this script the field is typed by hand.

import flatpickr from "flatpickr";
import { Mandarin } from "flatpickr/dist/l10n/zh.js";
import "flatpickr/dist/flatpickr.css";

const KINDS = {
  date: { dateFormat: "Y-m-d" },
  datetime: { dateFormat: "Y-m-d H:i", enableTime: true, time_24hr: true },
  range: { dateFormat: "Y-m-d", mode: "range" },
};
const LOCALE = { ...Mandarin, firstDayOfWeek: 1 };

function addCalendars(root) {
  for (const field of root.querySelectorAll("input[data-calendar]"))
    if (field._flatpickr === undefined) flatpickr(field, { ...KINDS[field.dataset.calendar], allowInput: true, locale: LOCALE, disableMobile: true });
}

document.addEventListener("DOMContentLoaded", () => addCalendars(document));
document.addEventListener("htmx:load", (event) => addCalendars(event.target));
