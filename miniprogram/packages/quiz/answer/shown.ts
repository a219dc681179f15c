/** The paper as its page displays it. */
import type { Option, Picture } from '../../../api/shapes'
import { answered, answeredCount, atEnd, current, isOver, timeLeft, unanswered } from '../../../logic/attempt'
import type { Paper } from '../../../logic/attempt'
import { clockFace, urgency } from '../../../logic/countdown'
import { fill } from '../../../logic/fill'
import { SLOW_MS } from '../../../kit/slow'
import type { words } from '../../../texts/index'
import type { HandingIn } from './paper-session'

interface Dot {
  index: number
  number: number
  done: boolean
  here: boolean
}

export interface Shown {
  place: string
  /** The number of answered questions, as text and in percent. */
  done: string
  percent: number
  stem: string
  picture: Picture | null
  kind: string
  kindWord: string
  options: (Option & { chosen: boolean })[]
  /** Whether the user can move between questions; false when each question has its own timer. */
  free: boolean
  previous: number
  next: number
  dots: Dot[]
  /** With a timer per question, the server opens the next one. */
  opensNext: boolean
  last: boolean
}

type Words = ReturnType<typeof words<'answer'>>

export function shownOf(paper: Paper, t: Words): Shown {
  const question = current(paper)
  const chosen = paper.chosen[question.id] ?? []
  const free = paper.timer === 'paper'
  const last = atEnd(paper)
  return {
    place: fill(t.place, { number: paper.index + 1, count: paper.count }),
    done: fill(t.done_of, { done: answeredCount(paper), count: paper.count }),
    percent: Math.round((100 * answeredCount(paper)) / paper.count),
    stem: question.stem,
    picture: question.picture ?? null,
    kind: question.kind,
    kindWord: { single: t.single, multiple: t.multiple, judge: t.judge }[question.kind],
    options: question.options.map((option) => ({ ...option, chosen: chosen.includes(option.key) })),
    free,
    previous: free ? paper.index - 1 : -1,
    next: free && !last ? paper.index + 1 : -1,
    dots: free ? paper.questions.map((each, index) => dot(paper, each.id, index)) : [],
    opensNext: !free && !last,
    last,
  }
}

/** The text of the clock; says so when one question's time is over but the paper's is not. */
export function clockOf(paper: Paper, now: number, t: Words) {
  const left = timeLeft(paper, now)
  const clock = { face: clockFace(left), urgency: urgency(left) }
  return left <= 0 && !isOver(paper, now) ? { ...clock, saving: t.time_up } : clock
}

/** The confirmation before submitting. */
export function askToFinish(paper: Paper, t: Words) {
  const missing = unanswered(paper)
  const content = missing > 0 ? fill(t.some_missing, { count: missing }) : t.all_answered
  return { title: t.finish, content, yes: t.finish, no: t.go_on }
}

/** The confirmation before leaving by the page's own button; the navigation bar uses the same. */
export function askToLeave(_paper: Paper, t: Words) {
  return { title: t.leave, content: t.leave_ask, yes: t.go, no: t.stay }
}

/** The state of the submission; empty while the paper is being answered. */
export function handOf(handing: HandingIn | null, paper: Paper, now: number, t: Words) {
  if (!handing) return { hand: '', handNote: '' }
  const late = handing.failed || now - handing.since >= SLOW_MS
  if (isOver(paper, now)) return { hand: t.hand_over, handNote: late ? t.hand_over_wait : t.hand_over_reading }
  return late ? { hand: t.hand_not_yet, handNote: t.hand_stay } : { hand: t.hand_now, handNote: '' }
}

function dot(paper: Paper, id: string, index: number): Dot {
  return { index, number: index + 1, done: answered(paper, id), here: index === paper.index }
}
