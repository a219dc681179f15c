// Checks the inputs of an announcement while they are typed: length as WeChat counts it, line
// breaks, emoji, format. The server decides; this only tells early. Plain ES2019.

(() => {
  "use strict";

  const PLACEHOLDER = /\{(?:昵称|城市|单位)\}/g;
  // The room that a placeholder needs, as in server/announcements/rules/placeholders.py.
  const ROOM = 4;

  function fault(input, page) {
    const text = input.value;
    const { limit, pattern, line, free } = input.dataset;
    const length = measure(text, free);
    if (line && /[\r\n\u2028\u2029]/.test(text)) return { length, sentence: page.sayLine };
    if (line && new RegExp(page.emoji, "u").test(text)) return { length, sentence: page.sayEmoji };
    if (length > Number(limit)) return { length, sentence: page.sayLong };
    const whole = new RegExp(`^(?:${pattern})$`, "u");
    if (text.trim() && !whole.test(text.trim())) return { length, sentence: page.sayFormat };
    return { length, sentence: "" };
  }

  // A JavaScript string counts UTF-16 code units, as WeChat does.
  function measure(text, free) {
    const trimmed = text.trim();
    if (!free) return trimmed.length;
    const found = trimmed.match(PLACEHOLDER) || [];
    return trimmed.replace(PLACEHOLDER, "").length + ROOM * found.length;
  }

  function tell(input, page) {
    const told = document.querySelector(`[data-count="${input.id}"]`);
    const { length, sentence } = fault(input, page.dataset);
    told.textContent = `${length}/${input.dataset.limit}${sentence ? `　${sentence}` : ""}`;
    told.classList.toggle("wrong", Boolean(sentence));
    input.setAttribute("aria-invalid", String(Boolean(sentence)));
  }

  function showChosen(choice) {
    for (const part of document.querySelectorAll(`[data-chosen-by="${choice.dataset.chooses}"]`)) part.hidden = part.dataset.choice !== choice.value;
  }

  document.addEventListener("DOMContentLoaded", () => {
    const page = document.querySelector("[data-fields]");
    if (!page) return;
    for (const input of page.querySelectorAll("[data-limit]")) {
      input.addEventListener("input", () => tell(input, page));
      if (input.value) tell(input, page);
    }
    for (const choice of page.querySelectorAll("[data-chooses]")) {
      choice.addEventListener("change", () => showChosen(choice));
      showChosen(choice);
    }
  });
})();
