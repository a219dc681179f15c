/** Selecting options, in practice and on a paper: one, or several when several are right. */
import type { Question } from '../api/shapes'

/** The selection after a tap on `key`, in the order of the options. */
export function choosing(question: Question, chosen: string[], key: string): string[] {
  if (question.kind !== 'multiple') return [key]
  const wanted = new Set(chosen)
  if (!wanted.delete(key)) wanted.add(key)
  return question.options.map((option) => option.key).filter((each) => wanted.has(each))
}
