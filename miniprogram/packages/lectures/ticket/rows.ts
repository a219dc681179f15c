/** The user's places as cards; a seat has the code that a scanner reads. */
import type { Ticket } from '../../../api/lectures'
import { base64 } from '../../../logic/base64'
import { sayInstant, sayOccasion } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { qrSvg } from '../../../logic/qr'
import type { words } from '../../../texts/index'
import { hasBegun, mayArrive, sayPlace } from '../standing'

type Words = ReturnType<typeof words<'ticket'>>
type Common = ReturnType<typeof words<'common'>>

export interface Row {
  id: string
  title: string
  time: string
  venue: string
  address: string
  people: string
  say: string
  /** The code in groups of four characters; empty without a confirmed seat. */
  number: string
  picture: string
  /** The text of the picture for screen readers. */
  label: string
  /** The instant until which the seat is kept, as text; empty without a seat and after the check-in. */
  late: string
  /** Whether to offer the check-in. */
  arrives: boolean
  /** Whether the user came, so that there may be a certificate. */
  came: boolean
  /** Whether the user may say how it is. */
  rates: boolean
}

/** An activity that is over and that the user came to. */
export interface PastRow {
  id: string
  title: string
  time: string
}

export const pastRowOf = (one: Ticket, now: number): PastRow => ({ id: one.activity, title: one.title, time: sayOccasion(one.starts_at, one.ends_at, now) })

/** The state of the place; for a cancelled or postponed activity, that of the activity. */
const stateOf = ({ phase, place }: Ticket, c: Common): string =>
  phase === 'cancelled' ? c.act_cancelled : phase === 'postponed' ? c.act_postponed : sayPlace(place, c)

export function rowOf(one: Ticket, now: number, t: Words, c: Common): Row {
  const valid = one.place.status === 'confirmed' && one.phase !== 'cancelled'
  const code = valid ? (one.place.ticket?.code ?? '') : ''
  return {
    id: one.activity,
    title: one.title,
    time: sayOccasion(one.starts_at, one.ends_at, now),
    venue: one.venue,
    address: one.address,
    people: fill(t.people, { count: one.place.party_size }),
    say: stateOf(one, c),
    number: code.replace(/(.{4})(?=.)/g, '$1 '),
    label: fill(t.code, { code }),
    late: code !== '' && !one.place.checked_in && one.seat_kept_until ? fill(t.late, { time: sayInstant(one.seat_kept_until, now) }) : '',
    rates: one.place.checked_in && hasBegun(one.starts_at, now),
    arrives: code !== '' && !one.place.checked_in && one.phase !== 'postponed' && mayArrive(one.starts_at, one.ends_at, now),
    came: one.place.checked_in,
    picture: code ? `data:image/svg+xml;base64,${base64(qrSvg(code))}` : '',
  }
}
