/** The result of a scan in words, with the reason and the next step. */
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import type { Direction } from '../../../api/checkin'
import type { words } from '../../../texts/index'
import type { Outcome } from '../gate'
import type { LocalWord } from '../roster'

type Words = ReturnType<typeof words<'scanner'>>

/** `good`: admitted. `wait`: not now, or not decided. `bad`: not with this ticket. */
export type Tone = 'good' | 'wait' | 'bad'

export interface Shown {
  tone: Tone
  mark: string
  word: string
  name: string
  sentence: string
  kept: string
  ticket: string
  /** The scan that the server has not answered; empty otherwise. */
  waits: string
}

const WAITING: LocalWord[] = ['WAITLISTED', 'TOO_EARLY', 'UNCHECKED']
const MARKS: Record<Tone, string> = { good: '✓', wait: '!', bad: '✕' }

export const toneOf = (word: LocalWord): Tone => (word === 'OK' ? 'good' : WAITING.includes(word) ? 'wait' : 'bad')

/** The result in a few words. */
export function sayWord(word: LocalWord, direction: Direction, t: Words): string {
  if (direction === 'out' && word === 'OK') return t.OK_out
  if (direction === 'out' && word === 'ALREADY') return t.ALREADY_out
  return t[word]
}

function sayAlready({ direction, since, gate }: Outcome, now: number, t: Words): string {
  if (direction === 'out') return t.already_out
  const when = since ? fill(t.already_when, { time: sayInstant(since, now) }) : ''
  const where = gate ? fill(t.already_where, { gate }) : ''
  const before = `${when}${where}`
  return before ? `${before}。${t.already_do}` : t.already_do
}

const sayOk = ({ direction, party: count }: Outcome, t: Words): string =>
  direction === 'out' ? fill(t.ok_out, { count }) : count > 1 ? fill(t.ok_people, { count }) : ''

function saySentence(one: Outcome, now: number, opensAt: string, t: Words): string {
  const said: Record<LocalWord, () => string> = {
    OK: () => sayOk(one, t),
    ALREADY: () => sayAlready(one, now, t),
    WRONG_SESSION: () => t.wrong_session,
    CANCELLED: () => t.cancelled,
    WAITLISTED: () => t.waitlisted,
    TOO_EARLY: () => (opensAt ? fill(t.too_early, { time: sayInstant(opensAt, now) }) : t.too_early_bare),
    BAD_SIGNATURE: () => t.bad_signature,
    NOT_FOUND: () => (one.kept === 'server' ? t.not_found : t.not_found_here),
    UNCHECKED: () => t.unchecked,
  }
  return said[one.word]()
}

/** `opensAt` is the beginning of the admission, empty if it is not known. */
export function shownOf(one: Outcome, now: number, opensAt: string, t: Words): Shown {
  const tone = toneOf(one.word)
  return {
    tone,
    mark: MARKS[tone],
    word: sayWord(one.word, one.direction, t),
    name: one.name,
    sentence: saySentence(one, now, opensAt, t),
    kept: one.word === 'BAD_SIGNATURE' ? '' : { server: t.kept_server, phone: t.kept_phone, nowhere: t.kept_nowhere }[one.kept],
    ticket: one.ticket,
    waits: one.nonce,
  }
}
