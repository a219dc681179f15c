/** Estimates the offset between the server's clock and the phone's from response timestamps. */

/** A drop by more than this means that a clock was moved; a smaller one means a slow response. */
const SLOWEST_MS = 30_000

/**
 * The offset after one more estimate. A response is read later than it was stamped, so each
 * estimate is too small by its travel time, and the largest is the most accurate.
 */
export function offsetAfter(known: number, estimate: number): number {
  return estimate > known || known - estimate > SLOWEST_MS ? estimate : known
}
