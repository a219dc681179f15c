/** The sign-up form: its questions, and the wish that is sent. */
import type { Activity, SignUpQuestion, SignUpWish } from '../../../api/lectures'
import type { Choice } from '../../../logic/choices'
import { sayInstant, sayOccasion } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'
import { asOf, wayOf } from '../standing'

type Words = ReturnType<typeof words<'signup'>>

export interface Asked extends SignUpQuestion {
  choices: Choice[]
}

/** The fields as the user has filled them in. */
export interface Filled {
  party: number
  name: string
  phone: string
  answers: Record<string, string>
}

const MOBILE = /^(?:\+?86)?1[3-9]\d{9}$/
const bare = (phone: string): string => phone.replace(/[\s-]/g, '')

export function shownOf(given: Activity, now: number, t: Words) {
  const one = asOf(given, now)
  const way = wayOf(one)
  return {
    activity: one,
    time: sayOccasion(one.starts_at, one.ends_at, now),
    parties: Array.from({ length: one.party_max }, (_, at) => ({ value: String(at + 1), label: fill(t.people, { count: at + 1 }) })),
    questions: one.questions.map((each): Asked => ({ ...each, choices: each.options.map((value) => ({ value, label: value })) })),
    open: way !== 'none',
    lottery: way === 'lottery' ? fill(t.lottery_note, { time: sayInstant(one.lottery?.draw_at ?? one.signup_closes_at, now) }) : '',
  }
}

/** Whether the sign-up will wait for a seat, as far as the phone knows. */
export const isWaiting = (one: Activity, party: number): boolean => wayOf(one) === 'wait' || (wayOf(one) === 'seat' && one.seats_left < party)

/** A message about the first missing or wrong field; empty when the form can be sent. */
export function faultOf(one: Activity, filled: Filled, knownPhone: string, t: Words): string {
  const phone = bare(filled.phone)
  if (one.phone_needed && phone && !MOBILE.test(phone)) return t.phone_wrong
  if (one.phone_needed && !phone && !knownPhone) return t.phone_first
  const open = one.questions.find(({ key, needed }) => needed && !filled.answers[key]?.trim())
  return open ? fill(t.answer_first, { label: open.label }) : ''
}

export function wishOf(one: Activity, { party, name, phone, answers }: Filled): SignUpWish {
  const given = Object.entries(answers).map(([key, text]) => [key, text.trim()] as const)
  return {
    party_size: party,
    answers: Object.fromEntries(given.filter(([, text]) => text !== '')),
    ...(name.trim() ? { name: name.trim() } : {}),
    ...(one.phone_needed && bare(phone) ? { phone: bare(phone) } : {}),
  }
}
