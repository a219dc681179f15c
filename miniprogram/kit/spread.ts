/** Spreads requests that many phones have to make for the same reason at the same moment. */

/** The timer of each page that waits. */
const waiting = new WeakMap<object, number>()

/** Calls `read` for a page after a random time of less than `mostMs`. */
export function readLater(page: object, read: () => Promise<void>, mostMs: number): void {
  stopWaiting(page)
  waiting.set(page, setTimeout(() => void read(), Math.floor(Math.random() * mostMs)))
}

/** Forgets a call that was not made yet, such as that of a page that was left. */
export function stopWaiting(page: object): void {
  clearTimeout(waiting.get(page) ?? 0)
}
