/** Formats the data stored about the user: each kind of record, its content, its count. */
import type { City } from '../../../api/shapes'
import { nameOfPlace } from '../../../logic/places'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'

export interface Line {
  kind: string
  name: string
  say: string
}

type Words = ReturnType<typeof words<'data'>>
type Row = Record<string, unknown>

/** Kinds without records are omitted; a kind without a translation shows its technical name. */
export function linesOf(held: Row, t: Words, cities: City[], now: number): Line[] {
  const names = namesOf(t)
  const { person, ...rest } = held
  const others = Object.entries(rest).flatMap(([kind, records]) => {
    const say = sayRecords(records, t, now)
    return say === '' ? [] : [{ kind, name: names[kind] ?? kind, say }]
  })
  return [...factsOf((person ?? {}) as Row, t, cities), ...others]
}

function sayRecords(records: unknown, t: Words, now: number): string {
  if (typeof records === 'string') return records
  const rows = Array.isArray(records) ? records : [records].filter((row) => row !== null)
  const count = rows.length
  if (count === 0) return ''
  const newest = rows.flatMap((row) => instantsOf(row as Row)).sort().pop()
  return newest ? fill(t.records_until, { count, time: sayInstant(newest, now) }) : fill(t.records, { count })
}

const INSTANT = /^\d{4}-\d\d-\d\dT/

/** The creation times in a record; its expiry is in the future and does not count. */
function instantsOf(row: Row): string[] {
  const pairs = Object.entries(row ?? {}).filter(([key]) => key.endsWith('at') && !key.startsWith('expires'))
  return pairs.flatMap(([, value]) => (typeof value === 'string' && INSTANT.test(value) ? [value] : []))
}

/** The profile fields; unset ones are omitted. */
function factsOf(person: Row, t: Words, cities: City[]): Line[] {
  const place = (code: unknown) => (typeof code === 'string' ? nameOfPlace(cities, code) : '')
  const named: [string, string, unknown][] = [
    ['nickname', t.nickname, person.nickname],
    ['city', t.city, place(person.city)],
    ['county', t.county, place(person.county)],
    ['unit', t.unit, person.unit],
    ['audience', t.audience, person.audience === null ? '' : t[person.audience as 'youth']],
    ['public_rank', t.public_rank, person.public_rank ? t.yes : ''],
    ['elder_mode', t.elder_mode, person.elder_mode ? t.yes : ''],
    ['under_14', t.under_14, person.under_14 ? t.yes : ''],
  ]
  return named.flatMap(([kind, name, say]) => (say ? [{ kind, name, say: String(say) }] : []))
}

function namesOf(t: Words): Record<string, string> {
  return {
    identities: t.kept_identities,
    sessions: t.kept_sessions,
    consents: t.kept_consents,
    pictures: t.kept_pictures,
    picture_uploads: t.kept_pictures,
    phone: t.kept_phone,
    message_grants: t.kept_grants,
    pushes: t.kept_pushes,
    inbox: t.kept_inbox,
    messages_counted: t.kept_counted,
    follower: t.kept_follower,
    scene_visits: t.kept_codes,
    late_replies: t.kept_replies,
    recent_replies: t.kept_replies,
    contest_entries: t.kept_contests,
    contest_papers: t.kept_papers,
    practice: t.kept_practice,
    mistakes: t.kept_mistakes,
    question_reports: t.kept_reports,
    shares: t.kept_shares,
    visits: t.kept_visits,
    groups: t.kept_groups,
    unit_requests: t.kept_unit_requests,
    signups: t.kept_signups,
    attendance: t.kept_attendance,
    feedback: t.kept_feedback,
    announcements: t.kept_announcements,
    scanner_grants: t.kept_scanner_grants,
    certificates: t.kept_certificates,
    participation: t.kept_participation,
    devices: t.kept_devices,
    held_results: t.kept_held,
    final_ranks: t.kept_final_ranks,
    rank_changes: t.kept_rank_changes,
    audit: t.kept_audit,
    earlier_erasures: t.kept_erasures,
  }
}
