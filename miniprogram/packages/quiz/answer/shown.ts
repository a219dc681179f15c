/** What the paper's page shows of the paper. */
import type { Option } from '../../../api/shapes'
import { answered, atEnd, current, isOver, timeLeft, unanswered } from '../../../logic/attempt'
import type { Paper } from '../../../logic/attempt'
import { clockFace, urgency } from '../../../logic/countdown'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'

interface Dot {
  index: number
  number: number
  done: boolean
  here: boolean
}

export interface Shown {
  place: string
  stem: string
  kind: string
  kindWord: string
  options: (Option & { chosen: boolean })[]
  previous: number
  next: number
  dots: Dot[]
  /** Under a timer for each question the next one is opened by the server. */
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
    stem: question.stem,
    kind: question.kind,
    kindWord: { single: t.single, multiple: t.multiple, judge: t.judge }[question.kind],
    options: question.options.map((option) => ({ ...option, chosen: chosen.includes(option.key) })),
    previous: free ? paper.index - 1 : -1,
    next: free && !last ? paper.index + 1 : -1,
    dots: free ? paper.questions.map((each, index) => dot(paper, each.id, index)) : [],
    opensNext: !free && !last,
    last,
  }
}

/** The clock's face; where one question's own time is over and the paper's is not, that is said. */
export function clockOf(paper: Paper, now: number, t: Words) {
  const left = timeLeft(paper, now)
  const clock = { face: clockFace(left), urgency: urgency(left) }
  return left <= 0 && !isOver(paper, now) ? { ...clock, saving: t.time_up } : clock
}

/** The question before a paper is handed in by its reader. */
export function askToFinish(paper: Paper, t: Words) {
  const missing = unanswered(paper)
  const content = missing > 0 ? fill(t.some_missing, { count: missing }) : t.all_answered
  return { title: t.finish, content, yes: t.finish, no: t.go_on }
}

function dot(paper: Paper, id: string, index: number): Dot {
  return { index, number: index + 1, done: answered(paper, id), here: index === paper.index }
}
