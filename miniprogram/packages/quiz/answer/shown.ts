/** What the paper's page shows of the paper. */
import type { Option } from '../../../api/shapes'
import { answered, atEnd, current } from '../../../logic/attempt'
import type { Paper } from '../../../logic/attempt'
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

function dot(paper: Paper, id: string, index: number): Dot {
  return { index, number: index + 1, done: answered(paper, id), here: index === paper.index }
}
