/** The wrong-answer book: a question leaves it after two right answers in a row. */
import { quiz } from '../../../api/index'
import type { Mistake, Picture } from '../../../api/shapes'
import { dress, dressed } from '../../../kit/dress'
import { load } from '../../../kit/load'
import { open } from '../../../platform/wx'

interface Entry {
  id: string
  stem: string
  picture: Picture | null
  own: string
  right: string
  explanation: string
  halfway: boolean
}

const entryOf = (one: Mistake): Entry => ({
  id: one.question_id,
  stem: one.stem,
  picture: one.picture ?? null,
  own: one.chosen.join('、'),
  right: one.correct.join('、'),
  explanation: one.explanation,
  halfway: one.right_in_a_row > 0,
})

Page({
  data: {
    ...dressed('mistakes'),
    state: 'loading',
    problem: '',
    entries: [] as Entry[],
    next: null as string | null,
  },

  onShow() {
    dress(this, 'mistakes')
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const { items, next } = await quiz.mistakes()
      return { entries: items.map(entryOf), next, state: items.length > 0 ? 'content' : 'empty' }
    })
  },

  async onReachBottom() {
    const { next, entries } = this.data
    if (next === null) return
    await load(this, async () => {
      const more = await quiz.mistakes(next)
      return { entries: [...entries, ...more.items.map(entryOf)], next: more.next }
    })
  },

  practice: () => open('/packages/quiz/practice/index'),
  practise: () => open('/packages/quiz/practice/index?from=mistakes'),
})
