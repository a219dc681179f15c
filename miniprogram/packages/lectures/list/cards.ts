/** Activities as cards of the list, and the choices of its filters. */
import type { Activity } from '../../../api/lectures'
import type { Choice } from '../../../logic/choices'
import { daysFrom, sayOccasion, sayShortDay } from '../../../logic/dates'
import { kmBetween, pointOf, wholeKm } from '../../../logic/distance'
import type { Point } from '../../../logic/distance'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'
import { asOf, sayPlace, sayPublic, wayOf } from '../standing'

type Words = ReturnType<typeof words<'lectures'>>
type Common = ReturnType<typeof words<'common'>>

const DAYS_SHOWN = 14

export interface Card {
  id: string
  title: string
  /** The address of the small poster; empty without one, or when it does not come. */
  poster: string
  time: string
  place: string
  away: string
  say: string
  free: boolean
  mine: string
}

/** City and venue; the city is omitted if it is missing or the venue begins with it. */
const placeOf = ({ city_name: city, venue }: Activity): string =>
  city && !venue.startsWith(city) ? `${city} ${venue}` : venue

export function cardOf(given: Activity, now: number, here: Point | null, t: Words, c: Common): Card {
  const one = asOf(given, now)
  const point = pointOf(one)
  const km = here && point ? kmBetween(here, point) : null
  return {
    id: one.id,
    title: one.title,
    poster: one.poster ?? '',
    time: sayOccasion(one.starts_at, one.ends_at, now),
    place: placeOf(one),
    away: km === null ? '' : km < 1 ? t.near : fill(t.away, { km: wholeKm(km) }),
    say: sayPublic(one, now, c),
    free: wayOf(one) === 'seat' || wayOf(one) === 'lottery',
    mine: sayPlace(one.me, c),
  }
}

/** The strip of days: all, then two weeks from today. */
export function dayChoices(now: number, t: Words): Choice[] {
  const names = [t.today, t.tomorrow]
  const said = (day: string, ahead: number) => (names[ahead] ? `${names[ahead]} ${sayShortDay(day).split(' ')[1]}` : sayShortDay(day))
  return [{ value: '', label: t.all_days }, ...daysFrom(now, DAYS_SHOWN).map((day, ahead) => ({ value: day, label: said(day, ahead) }))]
}
