/** Check-in: staff with a grant for one activity, and citizens who scan the venue's code. */
import type { Client } from './client'

export interface SessionName {
  id: string
  title: string
}

export interface Grant {
  session: SessionName
  /** The label of the gate. */
  gate: string
  expires_at: string
  /** The key under which the roster is signed. */
  roster_key: string
}

/** Counts of people, not of tickets. */
export interface HallCounters {
  admitted: number
  inside: number
  walk_ins: number
  expected: number
}

export interface GateSession extends Grant {
  /** Nobody is admitted before. */
  opens_at: string
  counters: HallCounters
}

export type ScanWord =
  | 'OK' | 'ALREADY' | 'WRONG_SESSION' | 'CANCELLED' | 'WAITLISTED' | 'TOO_EARLY' | 'BAD_SIGNATURE' | 'NOT_FOUND'
export type Direction = 'in' | 'out'

/** One sign-up of the roster; `ticket` is the SHA-256 of its code. */
export interface RosterEntry {
  ticket: string
  /** The answer that a scan would get during the check-in. */
  result: ScanWord
  people: number
  in_at: string | null
  name: string
}

export interface Roster {
  session: SessionName
  made_at: string
  entries: RosterEntry[]
  signature: string
}

export interface TicketScan {
  nonce: string
  ticket: string
  scanned_at: string
  direction: Direction
  /** Whether this phone let the people in by its own roster. */
  admitted: boolean
}

/** The server's answer to a scan; `at` and `by` tell when and at which gate a ticket was used. */
export interface ScanAnswer {
  nonce: string
  result: ScanWord
  at: string | null
  by: string | null
  name: string | null
  people: number | null
}

export interface ScanAnswers {
  results: ScanAnswer[]
  admitted: number
  inside: number
}

/** A person with a place, as the staff sees the person. */
export interface Guest {
  id: string
  name: string
  phone_tail: string | null
  group: string | null
  people: number
  /** The answer that a scan of the ticket would get. */
  result: ScanWord
  state: string
  came_at: string | null
  inside: boolean
}

export interface WalkIn {
  party_size: number
  name?: string
  phone?: string
}

export interface Arrival {
  result: string
  at: string
  activity: SessionName
  people: number
}

export function checkin(client: Client) {
  return {
    redeem: (code: string) => client.call<Grant>('POST', '/staff/grants', { body: { code } }),
    grants: () => client.call<{ items: Grant[] }>('GET', '/staff/sessions'),
    session: (id: string) => client.call<GateSession>('GET', `/staff/sessions/${id}`),
    roster: (id: string) => client.call<Roster>('GET', `/staff/sessions/${id}/roster`),
    /** `sent` is this phone's time, with which the server corrects the times of the scans. */
    scan: (session: string, scans: TicketScan[], sent: string, timeoutMs: number) =>
      client.call<ScanAnswers>('POST', '/staff/checkins', { body: { session, scans, sent_at: sent }, timeoutMs }),
    guests: (id: string, words: string) =>
      client.call<{ items: Guest[] }>('GET', `/staff/sessions/${id}/people`, { query: { words } }),
    admit: (id: string, person: string, reason: string) =>
      client.call<{ at: string }>('POST', `/staff/sessions/${id}/admissions`, { body: { person, reason } }),
    undo: (id: string, person: string, reason: string) =>
      client.call<void>('POST', `/staff/sessions/${id}/admissions/undo`, { body: { person, reason } }),
    depart: (id: string, person: string) =>
      client.call<void>('POST', `/staff/sessions/${id}/departures`, { body: { person } }),
    walkIn: (id: string, body: WalkIn, key: string) =>
      client.call<{ name: string; people: number }>('POST', `/staff/sessions/${id}/walk-ins`, { body, key }),
    arrive: (code: string) => client.call<Arrival>('POST', '/checkins', { body: { code } }),
  }
}
