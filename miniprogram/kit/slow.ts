/** A network that hangs: whoever waits is told so, long before the request is given up. */
import { wire } from '../platform/wx'

export const SLOW_MS = 5_000

/** The result of `work`; `slow` is called once when it takes longer than `SLOW_MS`. */
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
