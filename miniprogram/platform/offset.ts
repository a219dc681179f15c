/** The distance between the server's clock and the phone's, estimated from stamped answers. */

/** A fall by more than this is a moved clock; a smaller one is an answer that travelled slowly. */
const SLOWEST_MS = 30_000

/**
 * The offset after one more estimate. An answer is read later than it was stamped, so each
 * estimate is too small by the time it travelled, and the largest is the best.
 */
export function offsetAfter(known: number, estimate: number): number {
  return estimate > known || known - estimate > SLOWEST_MS ? estimate : known
}
