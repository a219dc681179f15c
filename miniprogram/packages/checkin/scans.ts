/**
 * The scans of this phone as a list, the oldest first. A scan is sent until the server has answered
 * it; its nonce lets the server recognise a repeated one.
 */
import type { Direction, ScanAnswer, TicketScan } from '../../api/checkin'
import type { LocalWord, Passage } from './roster'

export interface Scan {
  nonce: string
  /** The code; removed as soon as the server has answered. */
  ticket: string
  hash: string
  /** By this phone's own clock, RFC 3339. */
  at: string
  direction: Direction
  name: string
  party: number
  /** The result that the staff was shown before the server answered; null if it answered at once. */
  local: LocalWord | null
  answer: ScanAnswer | null
  /** The server's sentence if it does not take this scan at all; empty otherwise. */
  refusal: string
}

/** The server's limit of scans in one request. */
export const BATCH = 200
/** Answered scans that are kept for the list; older ones are on the roster by then. */
const KEPT = 500

const isDone = ({ answer, refusal }: Scan): boolean => answer !== null || refusal !== ''
export const unsentOf = (scans: Scan[]): Scan[] => scans.filter((scan) => !isDone(scan))
export const asSent = ({ nonce, ticket, at, direction, local }: Scan): TicketScan => ({
  nonce,
  ticket,
  scanned_at: at,
  direction,
  admitted: local === 'OK',
})

/** Whether the server's result about a person differs from the one that the staff was shown. */
export const isConflict = ({ local, answer, refusal }: Scan): boolean =>
  refusal !== '' || (local !== null && answer !== null && (local === 'OK') !== (answer.result === 'OK'))

/** The list with the server's answers. */
export function settled(scans: Scan[], answers: ScanAnswer[]): Scan[] {
  const found = new Map(answers.map((answer) => [answer.nonce, answer]))
  return scans.map((scan) => {
    const answer = found.get(scan.nonce)
    return answer ? { ...scan, ticket: '', answer, name: answer.name ?? scan.name, party: answer.people ?? scan.party } : scan
  })
}

/** The list with changes to one scan. */
export const changed = (scans: Scan[], nonce: string, changes: Partial<Scan>): Scan[] =>
  scans.map((scan) => (scan.nonce === nonce ? { ...scan, ...changes } : scan))

/** The list without old answered scans; what is unsent or in conflict always stays. */
export function shortened(scans: Scan[]): Scan[] {
  const answered = scans.filter((scan) => isDone(scan) && !isConflict(scan))
  const old = new Set(answered.slice(0, Math.max(0, answered.length - KEPT)))
  return old.size > 0 ? scans.filter((scan) => !old.has(scan)) : scans
}

/** The state of a scan as far as this phone knows. */
export const wordOf = ({ answer, local }: Scan): LocalWord | null => answer?.result ?? local

/** The last passage of a ticket that this phone accepted. */
export function passageOf(scans: Scan[], hash: string): Passage | null {
  const own = scans.filter((scan) => scan.hash === hash && wordOf(scan) === 'OK')
  const last = own[own.length - 1]
  return last ? { direction: last.direction, at: last.at } : null
}

/** The number of people admitted by this phone since the server's last counters. */
export const uncounted = (scans: Scan[]): number =>
  unsentOf(scans).reduce((sum, { local, direction, party }) => sum + (local === 'OK' && direction === 'in' ? party : 0), 0)
