/** A closed paper: every question with the user's answer and the right one. */
import type { Attempt, Option, Picture, Question, Review } from '../api/shapes'

export interface Marked {
  id: string
  number: number
  stem: string
  picture: Picture | null
  kind: Question['kind']
  right: boolean
  options: MarkedOption[]
  explanation: string
  /** Void: it counts as right for everybody. */
  voided: boolean
}

export interface MarkedOption {
  key: string
  text: string
  chosen: boolean
  correct: boolean
}

export function markOptions(options: Option[], chosen: string[], correct: string[]) {
  return options.map((option) => ({
    ...option,
    chosen: chosen.includes(option.key),
    correct: correct.includes(option.key),
  }))
}

/** Whether both have the same keys, in any order. */
export function sameKeys(one: string[], other: string[]): boolean {
  return one.length === other.length && one.every((key) => other.includes(key))
}

export function markedOf(attempt: Attempt): Marked[] {
  const reviews = new Map((attempt.review ?? []).map((review) => [review.question_id, review]))
  return attempt.questions.flatMap((question, index) => {
    const review = reviews.get(question.id)
    return review ? [marked(question, review, index + 1)] : []
  })
}

function marked(question: Question, review: Review, number: number): Marked {
  return {
    id: question.id,
    number,
    stem: question.stem,
    picture: question.picture ?? null,
    kind: question.kind,
    right: sameKeys(review.chosen, review.correct),
    options: markOptions(question.options, review.chosen, review.correct),
    explanation: review.explanation,
    voided: review.voided,
  }
}
