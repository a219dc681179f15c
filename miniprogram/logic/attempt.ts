/** State of one paper: the choices, what the server has saved, and whether it is over. */
import type { Answers, Attempt, Question } from '../api/shapes'
import { choosing } from './choosing'
import { countdown, left, leftUntil } from './countdown'
import type { Countdown } from './countdown'

export interface Paper {
  id: string
  timer: 'paper' | 'item'
  counting: Countdown
  count: number
  questions: Question[]
  index: number
  chosen: Answers
  /** Questions whose choice is not saved on the server yet. */
  unsaved: string[]
  phase: 'open' | 'handing_in' | 'closed'
}

/**
 * Creates the state from the server's response; `kept` are unsaved choices from this phone's
 * storage. A paper that the server has closed ignores further choices.
 */
export function paperOf(attempt: Attempt, now: number, kept: Answers = {}): Paper {
  const known = new Set(attempt.questions.map((question) => question.id))
  const late = Object.entries(kept).filter(([id]) => known.has(id))
  const paper: Paper = {
    id: attempt.id,
    timer: attempt.timer,
    counting: countdown(attempt.deadline, attempt.remaining_ms, now),
    count: attempt.question_count,
    questions: attempt.questions,
    index: 0,
    chosen: { ...attempt.answers, ...Object.fromEntries(late) },
    unsaved: late.map(([id]) => id),
    phase: attempt.state === 'open' ? 'open' : 'closed',
  }
  return { ...paper, index: firstToAnswer(paper) }
}

/** The question to resume at: the first unanswered one, otherwise the last. */
function firstToAnswer(paper: Paper): number {
  const last = paper.questions.length - 1
  if (paper.timer === 'item') return last
  const open = paper.questions.findIndex((question) => !answered(paper, question.id))
  return open < 0 ? last : open
}

export function answered(paper: Paper, id: string): boolean {
  return (paper.chosen[id] ?? []).length > 0
}

export function current(paper: Paper): Question {
  const question = paper.questions[paper.index]
  if (!question) throw new Error(`paper ${paper.id} has no question ${paper.index}`)
  return question
}

/** Applies a tap on an option: replaces the choice, or toggles it when several are right. */
export function choose(paper: Paper, key: string): Paper {
  if (paper.phase !== 'open') return paper
  const question = current(paper)
  const { id } = question
  const keys = choosing(question, paper.chosen[id] ?? [], key)
  return {
    ...paper,
    chosen: { ...paper.chosen, [id]: keys },
    unsaved: paper.unsaved.includes(id) ? paper.unsaved : [...paper.unsaved, id],
  }
}

export function goTo(paper: Paper, index: number): Paper {
  if (paper.timer === 'item' || index < 0 || index >= paper.questions.length) return paper
  return { ...paper, index }
}

/** Adds the next question, which the server opened, when each question has its own timer. */
export function withNext(paper: Paper, question: Question): Paper {
  const known = paper.questions.findIndex((each) => each.id === question.id)
  if (known >= 0) return { ...paper, index: known }
  const questions = [...paper.questions, question]
  return { ...paper, questions, index: questions.length - 1 }
}

export function toSave(paper: Paper): Answers {
  return Object.fromEntries(paper.unsaved.map((id) => [id, paper.chosen[id] ?? []]))
}

/** Marks choices as saved; one changed since then stays unsaved. */
export function saved(paper: Paper, sent: Answers): Paper {
  const same = (id: string) => String(sent[id]) === String(paper.chosen[id])
  return { ...paper, unsaved: paper.unsaved.filter((id) => !(id in sent && same(id))) }
}

export function answeredCount(paper: Paper): number {
  return paper.questions.filter((question) => answered(paper, question.id)).length
}

export function unanswered(paper: Paper): number {
  return paper.count - answeredCount(paper)
}

export function atEnd(paper: Paper): boolean {
  return paper.index + 1 >= paper.count
}

/** Milliseconds left for the current question or paper. */
export function timeLeft(paper: Paper, now: number): number {
  const whole = left(paper.counting, now)
  const own = paper.timer === 'item' ? current(paper).deadline : undefined
  return own ? Math.min(whole, leftUntil(paper.counting, own, now)) : whole
}

export function isOver(paper: Paper, now: number): boolean {
  return left(paper.counting, now) <= 0
}

export function inPhase(paper: Paper, phase: Paper['phase']): Paper {
  return { ...paper, phase }
}
