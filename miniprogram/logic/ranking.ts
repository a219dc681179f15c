/** Leaderboards: which ones a user can select, and their rows as text. */
import type { Board, BoardLine, BoardMe } from '../api/shapes'
import { pointsBetween, sayDuration, sayScore, timeBetween } from './figures'
import { fill } from './fill'
import { distance } from './standing'
import type { StandingWords } from './standing'

type OwnPlace = 'city' | 'county' | 'unit' | 'audience' | 'group'
/** The scope of a board; the divisions of a contest are named by their key. */
export type Place = 'region' | OwnPlace | `division:${string}`
export type Period = 'total' | 'week' | 'day'

export interface Home {
  city: string | null
  county: string | null
  unit: string | null
  audience: string | null
  group: string | null
  /** The names of city, county and unit. */
  names: Partial<Record<Place, string | null>>
}

export const NOWHERE: Home = { city: null, county: null, unit: null, audience: null, group: null, names: {} }

const CODE: Record<OwnPlace, Exclude<keyof Home, 'names'>> = {
  city: 'city',
  county: 'county',
  unit: 'unit',
  audience: 'audience',
  group: 'group',
}

/** The boards of this user; the group's first when the user came from a group. */
export function placesOf(home: Home): ('region' | OwnPlace)[] {
  const own = (['city', 'county', 'unit', 'audience'] as const).filter((place) => home[CODE[place]])
  return [...(home.group ? (['group'] as const) : []), 'region', ...own]
}

/** The `scope` parameter of the server; null when the user has no such place. */
export function scopeOf(place: Place, home: Home): string | null {
  if (place === 'region' || isDivision(place)) return place
  const code = home[CODE[place]]
  return code ? `${place}:${code}` : null
}

function isDivision(place: Place): place is `division:${string}` {
  return place.startsWith('division:')
}

/** The `period` parameter of the server, which computes the current day and week itself. */
export const PERIODS: Record<Period, string> = { total: 'total', week: 'this_week', day: 'today' }

export interface Row {
  rank: number
  name: string
  avatar: string
  city: string
  score: string
  time: string
  me: boolean
}

function rowOf(line: BoardLine): Row {
  return {
    rank: line.rank,
    name: line.nickname,
    avatar: line.avatar_url ?? '',
    city: line.city_name ?? '',
    score: sayScore(line.score),
    time: sayDuration(line.duration_ms),
    me: line.me,
  }
}

export interface Rows {
  top: Row[]
  /** The user's neighbours; empty when the user is among the first rows. */
  around: Row[]
}

export function rowsOf(board: Board): Rows {
  const top = board.items.map(rowOf)
  const shown = top.some((row) => row.me)
  return { top, around: board.me && !shown ? board.me.around.map(rowOf) : [] }
}

/** The user's own row at the bottom of the page: the rank, and the distance to the next higher one. */
export function ownRow(me: BoardMe, words: { mine: string }, c: StandingWords, over: boolean): Row {
  const at = me.around.findIndex(({ rank }) => rank === me.rank)
  const [line, above] = [me.around[at], me.around[at - 1]]
  const points = above ? pointsBetween(above.score, me.score) : null
  const unknown = me.rank > 1 && !above
  return {
    rank: me.rank,
    name: fill(words.mine, { rank: me.rank }),
    avatar: line?.avatar_url ?? '',
    city: over || unknown ? '' : distance(points, above ? timeBetween(me.duration_ms, above.duration_ms) : null, c),
    score: sayScore(me.score),
    time: sayDuration(me.duration_ms),
    me: true,
  }
}
