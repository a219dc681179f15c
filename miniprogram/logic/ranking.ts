/** Boards: which ones a reader can look at, and their lines in words. */
import type { Board, BoardLine } from '../api/shapes'
import { dayOf, weekOf } from './dates'
import { sayDuration, sayScore } from './figures'

export type Place = 'region' | 'city' | 'county' | 'unit' | 'audience' | 'group'
export type Period = 'total' | 'week' | 'day'

export interface Home {
  city: string | null
  county: string | null
  unit: string | null
  audience: string | null
  group: string | null
}

export const NOWHERE: Home = { city: null, county: null, unit: null, audience: null, group: null }

const CODE: Record<Exclude<Place, 'region'>, keyof Home> = {
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

export function periodOf(period: Period, now: number): string {
  if (period === 'day') return `day:${dayOf(now)}`
  return period === 'week' ? `week:${weekOf(now)}` : 'total'
}

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
