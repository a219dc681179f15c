/** One activity as its page displays it. */
import type { Activity, Place } from '../../../api/lectures'
import { sayEnd, sayInstant, sayOccasion } from '../../../logic/dates'
import { pointOf } from '../../../logic/distance'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'
import { asOf, hasBegun, mayArrive, sayPlace, sayPublic, wayOf } from '../standing'

type Words = ReturnType<typeof words<'lecture'>>
type Common = ReturnType<typeof words<'common'>>

export interface Fact {
  name: string
  value: string
}

export function shownOf(given: Activity, now: number, t: Words, c: Common) {
  const one = asOf(given, now)
  const way = wayOf(one)
  return {
    activity: one,
    poster: one.poster ?? '',
    say: sayPublic(one, now, c),
    free: way === 'seat' || way === 'lottery',
    facts: factsOf(one, now, t),
    hasPoint: pointOf(one) !== null,
    action: one.me ? '' : { seat: t.sign_up, wait: t.wait, lottery: t.enter, none: '' }[way],
    ...openingOf(one, now, t),
    ...mineOf(one, now, t, c),
  }
}

const DAY_MS = 24 * 3600_000

/** The wait for the sign-up: `opensAt` in milliseconds since 1970, 0 without a wait; whole days as text instead of a clock. */
function openingOf({ phase, signup_opens_at: opens }: Activity, now: number, t: Words) {
  const opensAt = phase === 'not_open' ? Date.parse(opens) : 0
  const days = Math.floor((opensAt - now) / DAY_MS)
  return { opensAt, opensIn: days >= 1 ? fill(t.opens_in_days, { count: days }) : '' }
}

function factsOf(one: Activity, now: number, t: Words): Fact[] {
  const speaker = [one.speaker, one.speaker_post].filter(Boolean).join(' ')
  const every = [
    { name: t.time, value: sayOccasion(one.starts_at, one.ends_at, now) },
    { name: t.venue, value: placeOf(one) },
    { name: t.speaker, value: speaker },
    { name: t.about_speaker, value: one.speaker_bio },
    { name: t.abstract, value: one.abstract },
    { name: t.audiences, value: one.audiences.map((each) => t[each]).filter(Boolean).join('、') },
    { name: t.series, value: seriesOf(one, t) },
    { name: t.sign_up_time, value: `${sayInstant(one.signup_opens_at, now)}—${sayEnd(one.signup_closes_at, now)}` },
    { name: t.draw, value: drawOf(one, now, t) },
    { name: t.seats, value: seatsOf(one, t) },
    { name: t.party, value: one.party_max > 1 ? fill(t.people, { count: one.party_max }) : '' },
    { name: t.notes, value: one.notes },
    { name: t.no_show, value: one.no_show_rule ?? '' },
    { name: t.phone, value: one.office_phone },
    { name: t.live, value: one.live_link ?? '' },
  ]
  return every.filter(({ value }) => value !== '')
}

const placeOf = ({ city_name: city, county_name: county, venue, address }: Activity): string =>
  [address || [city, county].filter(Boolean).join(''), venue].filter(Boolean).join(' ')

function seriesOf({ series, series_number: number }: Activity, t: Words): string {
  if (!series) return ''
  return number === null ? series.title : fill(t.in_series, { title: series.title, number })
}

function drawOf({ lottery }: Activity, now: number, t: Words): string {
  if (!lottery) return ''
  if (lottery.drawn_at !== null) return fill(t.drawn, { time: sayInstant(lottery.drawn_at, now) })
  return fill(t.draw_so_far, { time: sayInstant(lottery.draw_at, now), count: lottery.entered })
}

function seatsOf({ seats, seats_left: left, waitlist_length: waiting }: Activity, t: Words): string {
  if (left > 0) return fill(t.seats_of, { seats, left })
  return waiting === 0 ? fill(t.seats_full, { seats }) : fill(t.seats_waiting, { seats, waiting })
}

/** Whether the user has a seat in an activity that takes place, and is not there yet. */
const isAwaited = ({ me, phase }: Activity): boolean => me?.status === 'confirmed' && !me.checked_in && phase !== 'cancelled' && phase !== 'postponed'

/** The user's own place; `status` is empty without one. */
function mineOf(one: Activity, now: number, t: Words, c: Common) {
  const { me } = one
  return {
    status: me?.status ?? '',
    mine: sayPlace(me, c),
    people: me ? fill(t.mine_people, { count: me.party_size }) : '',
    note: me ? noteOf(me, one, now, t) : '',
    /** The end of the offer in milliseconds since 1970; 0 without an offer. */
    endsAt: me?.offer_expires_at ? Date.parse(me.offer_expires_at) : 0,
    rates: me?.checked_in === true && hasBegun(one.starts_at, now),
    arrives: isAwaited(one) && mayArrive(one.starts_at, one.ends_at, now),
    canLeave: me !== null && !me.checked_in && Date.parse(one.starts_at) > now && one.phase !== 'cancelled',
  }
}

function noteOf(me: Place, { lottery, phase }: Activity, now: number, t: Words): string {
  if (phase === 'ended' || me.checked_in) return ''
  if (phase === 'postponed') return t.postponed_note
  const time = (at: string | null | undefined) => (at ? sayInstant(at, now) : '')
  const notes: Partial<Record<Place['status'], string>> = {
    confirmed: t.confirmed_note,
    waitlisted: t.waitlisted_note,
    offered: fill(t.offered_note, { time: time(me.offer_expires_at) }),
    entered: fill(t.entered_note, { time: time(lottery?.draw_at) }),
  }
  return notes[me.status] ?? ''
}
