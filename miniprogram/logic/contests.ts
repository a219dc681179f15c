/** Selects a default contest for a page. */
import type { Contest } from '../api/shapes'

/** The open contest that the user took part in, else any open one, else the latest. */
export function contestOf(items: Contest[]): Contest | undefined {
  const open = items.filter(({ state }) => state === 'open')
  return open.find(({ me }) => me?.best_score != null) ?? open[0] ?? items[0]
}
