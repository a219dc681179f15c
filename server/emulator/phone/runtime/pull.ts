// Pull to refresh.

const FAR_PX = 60;
const PULLED = "wx-pulled";

/**
 * Watches one scroller; the returned function ends a refresh. `pulled` returns whether it handles
 * the pull.
 */
export function pullable(scroller: HTMLElement, pulled: () => unknown): () => void {
  let from: number | null = null;
  let far = false;
  const frame = scroller.parentElement!;
  scroller.addEventListener("touchstart", (event) => {
    from = scroller.scrollTop <= 0 ? event.touches[0]!.clientY : null;
    far = false;
  }, { passive: true });
  scroller.addEventListener("touchmove", (event) => {
    if (from !== null) far = event.touches[0]!.clientY - from > FAR_PX;
  }, { passive: true });
  scroller.addEventListener("touchend", () => {
    if (!far || frame.classList.contains(PULLED)) return;
    far = false;
    if (pulled() !== false) frame.classList.add(PULLED);
  });
  return () => frame.classList.remove(PULLED);
}
