/** People with a place as the gate's staff sees them: a masked name and the end of the number. */
import type { Guest } from '../../../api/checkin'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'

type Words = ReturnType<typeof words<'guests'>>

export interface Row {
  id: string
  name: string
  about: string
  state: string
  /** The possible actions of the staff. */
  admits: boolean
  departs: boolean
  undoes: boolean
}

function sayState({ result, came_at: at, inside }: Guest, now: number, t: Words): string {
  if (at) return fill(inside ? t.inside : t.outside, { time: sayInstant(at, now) })
  if (result === 'OK') return t.not_in
  return result === 'WAITLISTED' ? t.waiting : t.cancelled
}

/** A person whose seat was given away may get one again while there is room. */
const mayCome = ({ result, state }: Guest): boolean => result === 'OK' || result === 'WAITLISTED' || state === 'expired'

export function rowOf(guest: Guest, now: number, t: Words): Row {
  const { id, name, group, people, inside, came_at: came } = guest
  const tail = guest.phone_tail ? fill(t.tail, { tail: guest.phone_tail }) : t.no_phone
  const about = [tail, ...(group ? [group] : []), fill(t.people, { count: people })].join('，')
  return { id, name, about, state: sayState(guest, now, t), admits: !inside && mayCome(guest), departs: inside, undoes: came !== null }
}
