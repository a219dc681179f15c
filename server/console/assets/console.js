// Behaviour of every page: the menu on a narrow screen, dialogs, shortcuts, forms sent only once.
// Loaded in <head> without `defer`, so that the menu of a phone is never shown open first. Plain
// ES2019 for Chrome 86 and Firefox 78; nothing here is built.

(() => {
  "use strict";

  document.documentElement.classList.add("js");

  function toggleMenu(button) {
    const menu = document.getElementById(button.getAttribute("aria-controls"));
    const shown = menu.classList.toggle("shown");
    button.setAttribute("aria-expanded", String(shown));
  }

  // Firefox supports <dialog> since version 98; older ones show it as a part of the page.
  function openDialog(dialog, opener) {
    dialog.returnTo = opener;
    if (dialog.showModal) dialog.showModal();
    else dialog.setAttribute("open", "");
    const first = dialog.querySelector("[autofocus], input:not([type=hidden]), textarea, select, button");
    if (first) first.focus();
  }

  function closeDialog(dialog) {
    if (dialog.close) dialog.close();
    else dialog.removeAttribute("open");
    if (dialog.returnTo && dialog.returnTo.isConnected) dialog.returnTo.focus();
  }

  function onClick(event) {
    const found = event.target.closest("[data-menu], [data-opens], [data-closes], [data-select-all], [data-copies], [data-print]");
    if (!found) {
      // A menu of columns closes when something outside it is pressed.
      for (const open of document.querySelectorAll("details.columns[open]")) if (!open.contains(event.target)) open.removeAttribute("open");
      return;
    }
    if (found.hasAttribute("data-menu")) toggleMenu(found);
    else if (found.hasAttribute("data-opens")) openDialog(document.getElementById(found.dataset.opens), found);
    else if (found.hasAttribute("data-closes")) closeDialog(found.closest("dialog"));
    else if (found.hasAttribute("data-select-all")) selectAll(found);
    else if (found.hasAttribute("data-copies")) copyText(found);
    else window.print();
  }

  function selectAll(box) {
    for (const one of document.querySelectorAll(`input[type=checkbox][name="${box.dataset.selectAll}"]`)) one.checked = box.checked;
  }

  // Browsers offer the clipboard only to pages over HTTPS; elsewhere the text is selected and copied.
  function copyText(button) {
    const source = document.getElementById(button.dataset.copies);
    const tell = () => (button.textContent = button.dataset.copied);
    const copySelected = () => {
      source.select();
      if (document.execCommand("copy")) tell();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(source.value).then(tell, copySelected);
    else copySelected();
  }

  function onKey(event) {
    const typing = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      const open = event.target.closest && event.target.closest("details.columns[open]");
      if (open) {
        open.removeAttribute("open");
        open.querySelector("summary").focus();
      }
      return;
    }
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }

  // A second press while the first is under way would send the form twice. A download leaves the
  // page as it is, so its buttons are released again.
  function onSubmit(event) {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (refuseLargeFiles(form)) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    window.setTimeout(() => delete form.dataset.sent, form.hasAttribute("data-download") ? 1500 : 15_000);
  }

  // The server ends the connection of a larger upload before any page can answer.
  function refuseLargeFiles(form) {
    const most = Number(document.body.dataset.mostBytes);
    let refused = false;
    for (const input of form.querySelectorAll("input[type=file]")) {
      const told = input.parentElement.querySelector("[data-too-large]");
      if (told) told.remove();
      if (![...input.files].some((file) => file.size > most)) continue;
      const sentence = document.createElement("p");
      sentence.className = "wrong";
      sentence.setAttribute("role", "alert");
      sentence.dataset.tooLarge = "";
      sentence.textContent = document.body.dataset.large;
      input.after(sentence);
      input.focus();
      refused = true;
    }
    return refused;
  }

  function watchDrops() {
    for (const zone of document.querySelectorAll(".drop")) {
      const input = zone.querySelector("input[type=file]");
      zone.addEventListener("dragover", (event) => {
        event.preventDefault();
        zone.classList.add("over");
      });
      zone.addEventListener("dragleave", () => zone.classList.remove("over"));
      zone.addEventListener("drop", (event) => {
        event.preventDefault();
        zone.classList.remove("over");
        input.files = event.dataTransfer.files;
      });
    }
  }

  function focusFirst() {
    const wrong = document.querySelector("[aria-invalid=true]");
    if (wrong) wrong.focus();
    for (const dialog of document.querySelectorAll("dialog[data-open]")) openDialog(dialog, null);
  }

  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("submit", onSubmit);
  document.addEventListener("DOMContentLoaded", () => {
    watchDrops();
    focusFirst();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
