// The browser's history of this phone. The list of chats lies under every other view, so that Back
// leads there; what is open in front (a sheet, a page inside the mini-program) takes a Back first.

let depth = 0, closing = false;
const takers = [];

/** `take` says whether it used up a Back; whoever registered last is asked first. */
export const onBack = (take) => { takers.unshift(take); };

/** Begin at the view that the address names, with the list of chats under it. */
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

/** The address's fragment changed: whether another view is to be shown. */
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

/** Back to the list of chats, however far up this view lies. */
export function goHome() {
  if (depth === 0) return;
  closing = true;
  history.go(-depth);
}
