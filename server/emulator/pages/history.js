// Browser history of the phone. The list of chats is below every other view, so Back leads there.
// Anything open above a view (a sheet, a page inside the mini-program) consumes one Back first.

let depth = 0, closing = false;
const takers = [];

/** `take` returns whether it consumed the Back; the newest registration runs first. */
export const onBack = (take) => { takers.unshift(take); };

/** Starts at the view in the address, with the list of chats below it. */
export function beginHistory() {
  if (history.state?.depth !== undefined) {
    depth = history.state.depth;
    return;
  }
  const [wanted, home] = [location.hash, `${location.pathname}${location.search}#home`];
  if (["", "#", "#home"].includes(wanted)) {
    history.replaceState({ depth: 0 }, "");
    return;
  }
  history.replaceState({ depth: 0 }, "", home);
  depth = 1;
  history.pushState({ depth }, "", wanted);
}

/** Handles a changed fragment; returns whether another view must be shown. */
export function moved() {
  const to = history.state?.depth;
  if (to === undefined) {
    depth += 1;
    history.replaceState({ depth }, "");
    return true;
  }
  const back = depth - to;
  if (back > 0 && !closing && takers.some((take) => take())) {
    history.go(back);
    return false;
  }
  closing = false;
  depth = to;
  return true;
}

/** Goes back to the list of chats from any depth. */
export function goHome() {
  if (depth === 0) return;
  closing = true;
  history.go(-depth);
}
