/** A closed paper as a line of the record, with the state of its hold. */
import type { PaperRecord } from '../../../api/shapes'
import { sayDay } from '../../../logic/dates'
import { sayDuration } from '../../../logic/figures'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'

type Words = ReturnType<typeof words<'records'>>

export interface Row {
  id: string
  day: string
  score: string
  facts: string
  expired: boolean
  held: string
  appealable: boolean
}

export function rowOf(one: PaperRecord, t: Words): Row {
  const facts = [
    fill(t.full, { count: one.max_score }),
    fill(t.right, { right: one.correct_count, count: one.question_count }),
    fill(t.time, { time: sayDuration(one.duration_ms) }),
  ]
  const held = one.held ? { possible: t.held, waiting: t.held_waiting, rejected: t.held_rejected }[one.appeal ?? 'rejected'] : ''
  return {
    id: one.id,
    day: sayDay(one.day),
    score: fill(t.score, { score: one.score }),
    facts: facts.join('，'),
    expired: one.state === 'expired',
    held,
    appealable: one.appeal === 'possible',
  }
}
