/** Practice: no clock, no rank; the key and its explanation follow every answer. */
import { quiz } from '../../../api/index'
import type { PracticeVerdict, Question } from '../../../api/shapes'
import { fill } from '../../../logic/fill'
import { markOptions } from '../../../logic/review'
import type { MarkedOption } from '../../../logic/review'
import { choosing } from '../../../logic/choosing'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { back, freshKey, open, say, scrollUp } from '../../../platform/wx'

const COUNT = 5

Page({
  data: {
    ...dressed('practice'),
    state: 'loading',
    problem: '',
    busy: false,
    fromMistakes: false,
    id: '',
    questions: [] as Question[],
    index: 0,
    question: null as Question | null,
    chosen: [] as string[],
    options: [] as MarkedOption[],
    place: '',
    kind: '',
    verdict: null as PracticeVerdict | null,
    rights: 0,
    done: '',
    reporting: false,
    key: '',
  },

  onLoad(query: Record<string, string | undefined>) {
    this.setData({ fromMistakes: query.from === 'mistakes' })
    void this.read()
  },
  onShow() {
    dress(this, 'practice')
    if (this.data.state === 'consent') void this.read()
  },

  async read() {
    this.setData({ key: freshKey(), done: '', rights: 0 })
    await load(this, async () => {
      await mustAgree()
      const { id, questions } = await quiz.practise(COUNT, this.data.fromMistakes, this.data.key)
      if (questions.length === 0) return { state: 'empty' }
      this.setData({ id, questions })
      this.show(0)
      return {}
    })
  },

  show(index: number) {
    const { questions, t } = this.data
    const question = questions[index] ?? null
    if (!question) return
    this.setData({
      index,
      question,
      chosen: [],
      verdict: null,
      options: markOptions(question.options, [], []),
      place: fill(t.place, { number: index + 1, count: questions.length }),
      kind: t[question.kind],
    })
    scrollUp()
  },

  pick(event: WechatMiniprogram.CustomEvent<{ key: string }>) {
    const { question } = this.data
    if (!question) return
    const chosen = choosing(question, this.data.chosen, event.detail.key)
    this.setData({ chosen, options: markOptions(question.options, chosen, []) })
  },

  async check() {
    const { question, chosen, id, rights } = this.data
    if (!question || chosen.length === 0) return say(this.data.t.choose_first)
    await act(this, async () => {
      const verdict = await quiz.practiseAnswer(id, question.id, chosen)
      const options = markOptions(question.options, chosen, verdict.key)
      this.setData({ verdict, options, rights: rights + Number(verdict.correct) })
    })
  },

  next() {
    const { index, questions, rights, t } = this.data
    if (index + 1 < questions.length) return this.show(index + 1)
    this.setData({ done: fill(t.done, { right: rights, count: questions.length }) })
    scrollUp()
  },

  mistakes: () => open('/packages/quiz/mistakes/index'),
  leave: () => back(),

  report() {
    this.setData({ reporting: true, key: freshKey() })
  },
  closeReport() {
    this.setData({ reporting: false })
  },
  async sendReport(event: WechatMiniprogram.CustomEvent<{ reason: string }>) {
    await act(this, async () => {
      await quiz.report(this.data.question?.id ?? '', event.detail.reason, this.data.key)
      this.closeReport()
      say(this.data.c.report_thanks)
    })
  },
})
