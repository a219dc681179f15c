/** An activity's sign-up, and the user's own place, in plain words. */
import type { Activity, Place } from '../../api/lectures'
import { sayInstant } from '../../logic/dates'
import { fill } from '../../logic/fill'
import type { words } from '../../texts/index'

type Common = ReturnType<typeof words<'common'>>
type Facts = Pick<Activity, 'phase' | 'signup_opens_at' | 'lottery' | 'seats_left' | 'waitlist_open'>

/** The effect of the sign-up button; `none` without a button. */
export type SignUpWay = 'seat' | 'wait' | 'lottery' | 'none'

/** The activity at `now`: its sign-up begins on time, without another response of the server. */
export function asOf(one: Activity, now: number): Activity {
  if (one.phase !== 'not_open' || now < Date.parse(one.signup_opens_at)) return one
  return { ...one, phase: one.lottery !== null && one.lottery.drawn_at === null ? 'lottery' : 'open' }
}

export function wayOf({ phase, seats_left: left, waitlist_open: waits }: Facts): SignUpWay {
  if (phase === 'lottery') return 'lottery'
  if (phase !== 'open') return 'none'
  if (left > 0) return 'seat'
  return waits ? 'wait' : 'none'
}

function sayStanding(one: Facts, now: number, c: Common): string {
  switch (one.phase) {
    case 'not_open':
      return fill(c.act_not_open, { time: sayInstant(one.signup_opens_at, now) })
    case 'lottery':
      return fill(c.act_lottery, { time: sayInstant(one.lottery?.draw_at ?? one.signup_opens_at, now) })
    case 'open':
      if (one.seats_left > 0) return fill(c.act_left, { count: one.seats_left })
      return one.waitlist_open ? c.act_wait : c.act_full
    case 'closed':
      return c.act_closed
    case 'postponed':
      return c.act_postponed
    case 'cancelled':
      return c.act_cancelled
    case 'ended':
      return c.act_ended
  }
}

/** From this time before the start the check-in is offered; the server may open it later. */
const ARRIVES_MS = 3 * 3600_000

/** Whether to offer the check-in; only the server knows when it begins. */
export const mayArrive = (starts: string, ends: string, now: number): boolean =>
  now > Date.parse(starts) - ARRIVES_MS && now < Date.parse(ends)

/** Whether the activity has begun, so that those who came may say how it is. */
export const hasBegun = (starts: string, now: number): boolean => now >= Date.parse(starts)

/** The user's own place as text; empty without one, and for a place that is over. */
export function sayPlace(place: Place | null, c: Common): string {
  const said: Partial<Record<Place['status'], string>> = {
    confirmed: place?.checked_in ? c.act_came : c.act_confirmed,
    offered: c.act_offered,
    waitlisted: fill(c.act_waitlisted, { count: place?.position ?? 1 }),
    entered: c.act_entered,
  }
  return (place && said[place.status]) ?? ''
}

/** The sign-up as text; empty where the text of the user's own place is enough. */
export function sayPublic(one: Activity, now: number, c: Common): string {
  const settled = one.phase === 'postponed' || one.phase === 'cancelled' || one.phase === 'ended'
  return sayPlace(one.me, c) && !settled ? '' : sayStanding(one, now, c)
}
