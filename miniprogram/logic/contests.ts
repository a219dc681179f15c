/** Which contest a page is about when none was asked for. */
import type { Contest } from '../api/shapes'

/** The open one that the reader took part in, else any open one, else the latest. */
export function contestOf(items: Contest[]): Contest | undefined {
  const open = items.filter(({ state }) => state === 'open')
  return open.find(({ me }) => me?.best_score != null) ?? open[0] ?? items[0]
}
