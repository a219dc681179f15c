/** The data stored on a gate's phone: its grants, and for each activity the roster and the scans. */
import type { Grant, HallCounters } from '../../api/checkin'
import { wire } from '../../platform/wx'
import type { HeldRoster } from './roster'
import type { Scan } from './scans'

export interface HeldGrant extends Grant {
  /** Whether the server refused it: it was revoked, or its time is over. */
  ended: boolean
}

const GRANTS = 'checkin-grants'
const rosterKey = (id: string): string => `checkin-roster-${id}`
const scansKey = (id: string): string => `checkin-scans-${id}`
const countersKey = (id: string): string => `checkin-counters-${id}`

/** Every grant of this phone, the newest first. */
export const readGrants = (): HeldGrant[] => wire.read<HeldGrant[]>(GRANTS) ?? []
export const readGrant = (id: string): HeldGrant | null => readGrants().find(({ session }) => session.id === id) ?? null

export function keepGrant(grant: HeldGrant): boolean {
  return wire.write(GRANTS, [grant, ...readGrants().filter(({ session }) => session.id !== grant.session.id)])
}

/** Keeps a grant that has ended, for what is unsent; the names of the roster are not needed any more. */
export function keepEnded(grant: HeldGrant): HeldGrant {
  const ended = { ...grant, ended: true }
  keepGrant(ended)
  wire.drop(rosterKey(grant.session.id))
  return ended
}

/** Takes over the grants that the server holds valid; all others have ended. */
export function takeGrants(valid: Grant[]): void {
  const known = new Set(valid.map(({ session }) => session.id))
  for (const grant of readGrants()) if (!known.has(grant.session.id) && !grant.ended) keepEnded(grant)
  const others = readGrants().filter(({ session }) => !known.has(session.id))
  wire.write(GRANTS, [...valid.map((grant) => ({ ...grant, ended: false })), ...others])
}

/** Removes what belongs to one activity; nothing unsent may be left. */
export function dropGate(id: string): void {
  wire.write(GRANTS, readGrants().filter(({ session }) => session.id !== id))
  for (const key of [rosterKey(id), scansKey(id), countersKey(id)]) wire.drop(key)
}

export const readRoster = (id: string): HeldRoster | null => wire.read<HeldRoster>(rosterKey(id))
export const keepRoster = (id: string, roster: HeldRoster): boolean => wire.write(rosterKey(id), roster)

export const readScans = (id: string): Scan[] => wire.read<Scan[]>(scansKey(id)) ?? []
/** Stores the scans; false when the phone did not: they are lost when the program is closed. */
export const keepScans = (id: string, scans: Scan[]): boolean => wire.write(scansKey(id), scans)

export const readCounters = (id: string): HallCounters | null => wire.read<HallCounters>(countersKey(id))
export const keepCounters = (id: string, counters: HallCounters): boolean => wire.write(countersKey(id), counters)
