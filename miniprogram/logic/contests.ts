/** Selects a default contest for a page. */
import type { Contest } from '../api/shapes'

/** The open contest that the user took part in, else any open one, else the latest. */
export function contestOf(items: Contest[]): Contest | undefined {
  const open = items.filter(({ state }) => state === 'open')
  return open.find(({ me }) => me?.best_score != null) ?? open[0] ?? items[0]
}

/** The contest whose result is shown by default: an open one that the user took part in, else the latest that the user took part in, else that of `contestOf`. */
export function ownContestOf(items: Contest[]): Contest | undefined {
  const taken = items.filter(({ me }) => me?.best_score != null || me?.held)
  return taken.find(({ state }) => state === 'open') ?? taken[0] ?? contestOf(items)
}

/** The number of papers that the user may still start today, in all open contests; null without an open contest. */
export function leftToday(items: Contest[]): number | null {
  const open = items.filter(({ state, paused, me }) => state === 'open' && !paused && me !== null)
  return open.length > 0 ? open.reduce((sum, { me }) => sum + (me?.attempts_left_today ?? 0), 0) : null
}
