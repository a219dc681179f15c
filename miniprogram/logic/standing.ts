/** The user's result in a contest, as text for all pages. */
import type { ContestMe } from '../api/shapes'
import { sayDuration, sayScore } from './figures'
import { fill } from './fill'

export interface StandingWords {
  total: string
  place: string
  behind: string
  behind_time: string
  behind_tie: string
  first: string
  held: string
}

export interface Standing {
  /** The ranked total with its rank; empty before the first paper. */
  total: string
  /** The distance to the next higher rank. */
  next: string
}

export function standingOf(me: Pick<ContestMe, 'held' | 'total' | 'rank' | 'behind_next' | 'behind_next_ms'> | null, c: StandingWords): Standing {
  if (me?.held) return { total: c.held, next: '' }
  if (me == null || me.total === null) return { total: '', next: '' }
  const total = fill(c.total, { score: sayScore(me.total) })
  // A user who took the first paper after the boards were frozen has no rank until the freeze ends.
  if (me.rank === null) return { total, next: '' }
  return { total: `${total}，${fill(c.place, { rank: me.rank })}`, next: distance(me.behind_next, me.behind_next_ms, c) }
}

/**
 * The distance to the next higher rank: in points; at equal points in time, then by the finish.
 */
export function distance(points: number | null, ms: number | null, c: StandingWords): string {
  if (points === null) return c.first
  if (points > 0) return fill(c.behind, { score: sayScore(points) })
  // Times that display equally count as a tie.
  return (ms ?? 0) >= 1000 ? fill(c.behind_time, { time: sayDuration(ms ?? 0) }) : c.behind_tie
}
