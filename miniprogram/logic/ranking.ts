/** Boards: which ones a reader can look at, and their lines in words. */
import type { Board, BoardLine, BoardMe } from '../api/shapes'
import { pointsBetween, sayDuration, sayScore, timeBetween } from './figures'
import { fill } from './fill'
import { distance } from './standing'
import type { StandingWords } from './standing'

export type Place = 'region' | 'city' | 'county' | 'unit' | 'audience' | 'group'
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

const CODE: Record<Exclude<Place, 'region'>, Exclude<keyof Home, 'names'>> = {
  city: 'city',
  county: 'county',
  unit: 'unit',
  audience: 'audience',
  group: 'group',
}

/** The boards of this reader; the group's first when the reader comes from one. */
export function placesOf(home: Home): Place[] {
  const own = (['city', 'county', 'unit', 'audience'] as const).filter((place) => home[CODE[place]])
  return [...(home.group ? (['group'] as const) : []), 'region', ...own]
}

/** The `scope` that the server knows; null when the reader has no such place. */
export function scopeOf(place: Place, home: Home): string | null {
  if (place === 'region') return 'region'
  const code = home[CODE[place]]
  return code ? `${place}:${code}` : null
}

/** The `period` of the server, whose clock says which day and week it is. */
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
  /** The reader's neighbours, only when the reader is not among the first. */
  around: Row[]
}

export function rowsOf(board: Board): Rows {
  const top = board.items.map(rowOf)
  const shown = top.some((row) => row.me)
  return { top, around: board.me && !shown ? board.me.around.map(rowOf) : [] }
}

/** The reader's own line, for the foot of the page: the place in a sentence, and what is missing to the next. */
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
