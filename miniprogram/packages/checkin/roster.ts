/** The roster on this phone: whether it is complete, and its answer about a ticket without network. */
import type { Direction, Roster, RosterEntry, ScanWord } from '../../api/checkin'
import { hmacSha256, sha256 } from './sha256'

/** The form of a ticket's code; anything else is no ticket of ours. */
const TICKET = /^K1[A-Z2-7]{24}$/

/** The code in the spelling that is hashed, also of a number copied in groups; empty for any other text. */
export function codeOf(text: string): string {
  const code = text.replace(/\s/g, '').toUpperCase()
  return TICKET.test(code) ? code : ''
}

const lineOf = ({ ticket, result, people, in_at: at, name }: RosterEntry): string => [ticket, result, people, at ?? '-', name].join(' ')

/** Whether a roster is just as the server signed it for this grant, with no line missing or changed. */
export function isWhole({ session, made_at: made, entries, signature }: Roster, key: string): boolean {
  return hmacSha256(key, [session.id, made, ...entries.map(lineOf)].join('\n')) === signature
}

/** A roster as it is kept, with the beginning of the admission. */
export interface HeldRoster {
  made_at: string
  opens_at: string
  entries: RosterEntry[]
}

/** Entries of the roster by the hash of their ticket. */
export type Book = Map<string, RosterEntry>
export const bookOf = (roster: HeldRoster | null): Book => new Map(roster?.entries.map((entry) => [entry.ticket, entry]) ?? [])

/** UNCHECKED: this phone has no roster, so nobody can tell. */
export type LocalWord = ScanWord | 'UNCHECKED'

export interface Judgement {
  word: LocalWord
  hash: string
  name: string
  party: number
  /** Since when the person is in, for ALREADY. */
  since: string | null
}

/** The last accepted scan of a ticket on this phone. */
export interface Passage {
  direction: Direction
  at: string
}

/**
 * The answer of the roster and of this phone's own scans about a ticket. A ticket that is not on the roster
 * may be another activity's, or younger than the roster; only the server can tell.
 */
export function judgeTicket(code: string, direction: Direction, now: number, roster: HeldRoster | null, book: Book, last: (hash: string) => Passage | null): Judgement {
  const hash = sha256(code)
  const entry = book.get(hash)
  const own = last(hash)
  const since = own ? (own.direction === 'in' ? own.at : null) : (entry?.in_at ?? null)
  const word = direction === 'in' && since ? 'ALREADY' : wordOf(entry, roster, now)
  return { word, hash, name: entry?.name ?? '', party: entry?.people ?? 1, since: word === 'ALREADY' ? since : null }
}

function wordOf(entry: RosterEntry | undefined, roster: HeldRoster | null, now: number): LocalWord {
  if (!roster) return 'UNCHECKED'
  if (!entry) return 'NOT_FOUND'
  return entry.result === 'OK' && now < Date.parse(roster.opens_at) ? 'TOO_EARLY' : entry.result
}
