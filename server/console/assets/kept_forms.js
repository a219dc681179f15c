// Keeps the input of a form when its session has ended: stored in this tab during the log-in, and
// restored into the same form, only for the same account. Never passwords, codes or files.
// Loaded before console.js, which opens a dialog that this script marks. Plain ES2019.

(() => {
  "use strict";

  const KEY = "kepu.forms";
  const LONGEST_MS = 2 * 3600 * 1000;
  const SECRET = ["password", "file", "submit", "button"];
  let forget = false;

  // A browser may refuse the storage altogether; the page works without.
  function readKept() {
    try {
      return JSON.parse(window.sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  }

  function writeKept(kept) {
    try {
      if (kept) window.sessionStorage.setItem(KEY, JSON.stringify(kept));
      else window.sessionStorage.removeItem(KEY);
    } catch {
      return;
    }
  }

  function isPublic(field) {
    const code = /one-time-code|password/.test(field.getAttribute("autocomplete") || "");
    return field.name && field.name !== "csrf_token" && !code && !SECRET.includes(field.type);
  }

  function isChanged(field) {
    if (field.type === "hidden") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.options) return [...field.options].some((one) => one.selected !== one.defaultSelected);
    return field.value !== field.defaultValue;
  }

  function readField(field) {
    if (field.type === "checkbox" || field.type === "radio") return [field.name, field.value, field.checked];
    if (field.options) return [field.name, [...field.options].filter((one) => one.selected).map((one) => one.value), null];
    return [field.name, field.value, null];
  }

  function readForms() {
    const typed = [...document.querySelectorAll("form[method=post]")].filter((form) => !form.hasAttribute("data-forget"));
    const open = typed.map((form) => [form, [...form.elements].filter(isPublic)]);
    const kept = open.filter(([form, fields]) => form.dataset.sent || fields.some(isChanged));
    return kept.map(([form, fields]) => ({ action: form.getAttribute("action"), fields: fields.map(readField) }));
  }

  function keepForms() {
    const account = document.body.dataset.account;
    if (!account) return;
    const forms = forget ? [] : readForms();
    writeKept(forms.length ? { account, at: Date.now(), forms, lost: false } : null);
  }

  function fillField(form, [name, value, checked]) {
    for (const field of form.elements) {
      if (field.name !== name || !isPublic(field)) continue;
      if (field.options) for (const one of field.options) one.selected = value.includes(one.value);
      else if (checked === null) field.value = value;
      else if (field.value === value) field.checked = checked;
    }
  }

  function fillForm(kept) {
    const form = [...document.querySelectorAll("form[method=post]")].find((one) => one.getAttribute("action") === kept.action);
    if (!form) return;
    kept.fields.forEach((field) => fillField(form, field));
    const sentence = document.createElement("p");
    sentence.className = "notice warning";
    sentence.setAttribute("role", "status");
    sentence.textContent = document.body.dataset.restored;
    form.prepend(sentence);
    const dialog = form.closest("dialog");
    if (dialog) dialog.dataset.open = "";
  }

  function restoreForms() {
    const kept = readKept();
    if (!kept) return;
    const fresh = Date.now() - kept.at < LONGEST_MS;
    const account = document.body.dataset.account;
    if (!account) {
      writeKept(fresh ? { ...kept, lost: true } : null);
      return;
    }
    writeKept(null);
    if (kept.lost && fresh && kept.account === account) kept.forms.forEach(fillForm);
  }

  document.addEventListener("submit", (event) => {
    if (event.target.hasAttribute("data-forget")) forget = true;
  });
  window.addEventListener("pagehide", keepForms);
  document.addEventListener("DOMContentLoaded", restoreForms);
})();
