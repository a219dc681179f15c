/** What is held about the reader, in plain words: each kind of record and how many there are. */
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'

export interface Line {
  kind: string
  name: string
  say: string
}

type Words = ReturnType<typeof words<'data'>>

/** Kinds without a record are left out; one that has no name yet is shown by its own. */
export function linesOf(held: Record<string, unknown>, t: Words): Line[] {
  const names = namesOf(t)
  return Object.entries(held).flatMap(([kind, records]) => {
    const count = countOf(records)
    return count === 0 ? [] : [{ kind, name: names[kind] ?? kind, say: fill(t.records, { count }) }]
  })
}

function countOf(records: unknown): number {
  if (Array.isArray(records)) return records.length
  return records === null ? 0 : 1
}

function namesOf(t: Words): Record<string, string> {
  return {
    person: t.kept_person,
    identities: t.kept_identities,
    sessions: t.kept_sessions,
    consents: t.kept_consents,
    pictures: t.kept_pictures,
    phone: t.kept_phone,
    message_grants: t.kept_grants,
    inbox: t.kept_inbox,
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
    earlier_erasures: t.kept_erasures,
  }
}
