/** Contest cards on the home page: for open contests and for the last closed one. */
import type { Ticket } from '../../api/lectures'
import type { Contest } from '../../api/shapes'
import { dayOf, sayEnd, sayOccasion } from '../../logic/dates'
import { saySpan } from '../../logic/figures'
import { fill } from '../../logic/fill'
import { standingOf } from '../../logic/standing'
import type { Standing } from '../../logic/standing'
import type { words } from '../../texts/index'

export interface OpenCard extends Standing {
  id: string
  title: string
  closes: string
  questions: string
  limit: string
  each: string
  full: string
  today: string
  action: string
  /** The open paper and its end on this phone's clock; empty and 0 without one. */
  paper: string
  endsAt: number
}

export interface PastCard extends Standing {
  id: string
  title: string
  closed: string
}

type Words = ReturnType<typeof words<'home'>>
type Common = ReturnType<typeof words<'common'>>

export function openCard({ id, title, paused, closes_at, rules, me }: Contest, now: number, t: Words, c: Common): OpenCard {
  const left = paused ? 0 : (me?.attempts_left_today ?? rules.papers_per_day)
  const none = paused ? t.paused : t.none_left
  const paper = me?.open_attempt_id ?? ''
  return {
    id,
    title,
    closes: fill(t.closes, { time: sayEnd(closes_at, now) }),
    questions: fill(t.questions, { count: rules.question_count }),
    limit: fill(t.limit, { span: saySpan(rules.paper_seconds) }),
    each: rules.seconds_per_question ? fill(t.each, { count: rules.seconds_per_question }) : '',
    full: fill(t.full, { count: rules.max_score }),
    today: paper ? t.paper_open : left > 0 ? fill(t.left_today, { count: left }) : none,
    action: paper ? t.go_on : left > 0 ? t.start : t.look,
    paper,
    endsAt: paper ? now + (me?.open_remaining_ms ?? 0) : 0,
    ...standingOf(me, c),
  }
}

export function pastCard({ id, title, closes_at, me }: Contest, now: number, t: Words, c: Common): PastCard {
  return { id, title, closed: fill(t.closed, { time: sayEnd(closes_at, now) }), ...standingOf(me, c) }
}

/** An activity of today in which the user has a seat and has not checked in. */
export interface TodayCard {
  id: string
  title: string
  time: string
  venue: string
}

/** The next such activity; null without one. */
export function todayCard(tickets: Ticket[], now: number): TodayCard | null {
  const one = tickets.find(({ starts_at, ends_at, phase, place }) =>
    place.status === 'confirmed' && !place.checked_in && phase !== 'cancelled' && phase !== 'postponed' &&
    dayOf(Date.parse(starts_at)) === dayOf(now) && Date.parse(ends_at) > now)
  return one ? { id: one.activity, title: one.title, time: sayOccasion(one.starts_at, one.ends_at, now), venue: one.venue } : null
}
