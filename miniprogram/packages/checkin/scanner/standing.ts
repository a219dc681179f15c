/** The state of a gate as its page displays it: people, network, roster, and what waits. */
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'
import type { Gate } from '../gate'
import { isConflict, uncounted } from '../scans'

type Words = ReturnType<typeof words<'scanner'>>

export interface Count {
  name: string
  value: string
}

function countsOf({ counters, scans }: Gate, t: Words): Count[] {
  if (!counters) return []
  const { admitted, inside, walk_ins, expected } = counters
  const here = uncounted(scans)
  const people = (count: number) => fill(t.people, { count })
  return [
    { name: t.admitted, value: people(admitted + here) },
    { name: t.expected, value: people(expected) },
    { name: t.inside, value: people(inside + here) },
    ...(walk_ins > 0 ? [{ name: t.walk_ins, value: people(walk_ins) }] : []),
  ]
}

const sayNetwork = ({ away, roster }: Gate, t: Words): string => (away ? (roster ? t.away : t.away_bare) : '')

function sayRoster({ roster }: Gate, now: number, t: Words): string {
  return roster ? fill(t.roster, { count: roster.entries.length, time: sayInstant(roster.made_at, now) }) : t.roster_none
}

export function standingOf(gate: Gate, now: number, t: Words) {
  const { unsent, grant, ended, scans } = gate
  const conflicts = scans.filter(isConflict).length
  return {
    activity: grant?.session.title ?? '',
    grant: grant ? fill(t.grant, { gate: grant.gate, time: sayInstant(grant.expires_at, now) }) : '',
    ended,
    unsent: unsent > 0 ? fill(t.unsent, { count: unsent }) : scans.length > 0 ? t.unsent_none : '',
    waits: unsent > 0,
    left: unsent > 0 ? fill(t.ended_unsent, { count: unsent }) : t.ended_sent,
    network: sayNetwork(gate, t),
    trouble: gate.stored ? (gate.broken ? t.broken : '') : t.memory,
    counts: countsOf(gate, t),
    counted: gate.away && uncounted(scans) > 0 ? t.counted_here : '',
    conflicts: conflicts > 0 ? fill(t.conflicts, { count: conflicts }) : '',
    roster: sayRoster(gate, now, t),
  }
}
