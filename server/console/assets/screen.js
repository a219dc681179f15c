// The projector page of an activity: asks the server for the venue's code and the count every two
// seconds, and continues through network faults and restarts of the server.
//
// The page has no session: its address is the key, so requests carry no cookie. A code that the
// server no longer accepts is hidden, because people would scan it to no effect. Plain ES2019 for
// Chrome 86 and Firefox 78; nothing here is built.

(() => {
  "use strict";

  const EVERY_MS = 2000;
  // A server that restarts may keep a connection without ever answering it.
  const PATIENCE_MS = 4000;
  // After this long without an answer the page says that it tries again.
  const SILENCE_MS = 5000;
  // An address that was replaced: somebody may still open a new one in this window.
  const REFUSED_MS = 20_000;
  const STATES = ["before", "open", "over", "off", "refused"];

  let heardAt = performance.now();
  let codeUntil = 0;
  let state = document.body.dataset.state;

  function find(name) {
    return document.querySelector(`[data-${name}]`);
  }

  function showText(name, text) {
    const place = find(name);
    if (place.textContent !== text) place.textContent = text;
  }

  function showState() {
    const now = performance.now();
    // Without a code that still holds, the notice of the lost connection takes its place.
    const codeHolds = state === "open" && now < codeUntil;
    for (const one of STATES) {
      for (const part of document.querySelectorAll(`[data-when="${one}"]`)) part.hidden = one !== state;
    }
    find("code").hidden = !codeHolds;
    find("no-code").hidden = state !== "open" || codeHolds;
    const silent = now - heardAt;
    find("silence").hidden = state === "refused" || silent < SILENCE_MS;
    showText("silent-seconds", String(Math.round(silent / 1000)));
  }

  function take(told) {
    state = told.state;
    showText("title", told.title);
    showText("speaker", told.speaker);
    showText("opens", told.opens);
    showText("admitted", String(told.admitted));
    showText("expected", String(told.expected));
    if (told.code === null) {
      codeUntil = 0;
      return;
    }
    if (find("code").src !== told.code) find("code").src = told.code;
    codeUntil = performance.now() + told.code_ms;
  }

  async function ask() {
    const stop = new AbortController();
    const limit = window.setTimeout(() => stop.abort(), PATIENCE_MS);
    try {
      const answer = await fetch(document.body.dataset.feed, { cache: "no-store", credentials: "omit", signal: stop.signal });
      if (answer.status === 404) return "refused";
      return answer.ok ? await answer.json() : null;
    } catch {
      // No connection: the notice says so, and the next try follows.
      return null;
    } finally {
      window.clearTimeout(limit);
    }
  }

  async function follow() {
    const told = await ask();
    if (told !== null) heardAt = performance.now();
    if (told === "refused") state = "refused";
    else if (told !== null) take(told);
    showState();
    // The next code is asked for when it begins, so that no old one stays on the wall.
    const next = told !== null && told !== "refused" ? Math.min(EVERY_MS, told.next_ms) : EVERY_MS;
    window.setTimeout(follow, state === "refused" ? REFUSED_MS : Math.max(next, 200));
  }

  // A projector must not go dark in the middle of the admission; browsers without the interface, or
  // pages without https, follow the computer's own settings.
  function keepAwake() {
    if (document.visibilityState !== "visible" || !navigator.wakeLock) return;
    navigator.wakeLock.request("screen").catch((reason) => console.warn("the screen may go dark", reason));
  }

  function toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  }

  function start() {
    const button = find("full");
    button.hidden = !document.fullscreenEnabled;
    button.addEventListener("click", toggleFullScreen);
    document.addEventListener("fullscreenchange", () => {
      button.hidden = document.fullscreenElement !== null;
    });
    document.addEventListener("visibilitychange", keepAwake);
    window.setInterval(showState, 500);
    keepAwake();
    follow();
  }

  document.addEventListener("DOMContentLoaded", start);
})();
