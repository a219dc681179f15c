/** Detects a slow network, so that the user gets a message long before the timeout. */
import { wire } from '../platform/wx'

export const SLOW_MS = 5_000

/** Returns the result of `work`; calls `slow` once if it takes longer than `SLOW_MS`. */
export async function watched<T>(work: Promise<T>, slow: () => void): Promise<T> {
  let waiting = true
  void wire.wait(SLOW_MS).then(() => {
    if (waiting) slow()
  })
  try {
    return await work
  } finally {
    waiting = false
  }
}
