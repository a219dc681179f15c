/** A closed paper: points, ranks, and every question with its key and explanation. */
import { quiz } from '../../../api/index'
import { Problem } from '../../../api/problem'
import type { Attempt, ContestMe } from '../../../api/shapes'
import { sayDuration } from '../../../logic/figures'
import { fill } from '../../../logic/fill'
import { markedOf } from '../../../logic/review'
import type { Marked } from '../../../logic/review'
import { standingOf } from '../../../logic/standing'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { freshKey, open, replace, say } from '../../../platform/wx'
import { sayRanks } from './shown'

Page({
  data: {
    ...dressed('result'),
    state: 'loading',
    problem: '',
    busy: false,
    id: '',
    contest: '',
    score: 0,
    full: '',
    right: '',
    time: '',
    expired: false,
    total: '',
    next: '',
    ranks: [] as string[],
    boardNote: '',
    noCity: false,
    kindWord: '',
    wrong: '',
    review: [] as Marked[],
    reporting: '',
    key: '',
  },

  onLoad(query: Record<string, string | undefined>) {
    this.setData({ id: query.id ?? '' })
    void this.read()
  },
  onShow() {
    dress(this, 'result')
  },

  async read() {
    await load(this, async () => {
      const attempt = await quiz.attempt(this.data.id)
      if (attempt.state === 'open') {
        replace(`/packages/quiz/answer/index?id=${attempt.id}`)
        return {}
      }
      const me = await this.mine(attempt.contest_id)
      return { contest: attempt.contest_id, ...this.figures(attempt), ...standingOf(me, this.data.c), review: markedOf(attempt) }
    })
  },

  /** The user's total in the contest; null when it cannot be read: the result works without it. */
  async mine(contest: string): Promise<ContestMe | null> {
    try {
      return (await quiz.contest(contest)).me
    } catch (why) {
      if (!(why instanceof Problem)) throw why
      return null
    }
  },

  figures(attempt: Attempt) {
    const { t } = this.data
    return {
      score: attempt.score ?? 0,
      full: fill(t.full, { count: attempt.max_score ?? 0 }),
      right: fill(t.right, { right: attempt.correct_count ?? 0, count: attempt.question_count }),
      time: fill(t.time, { time: sayDuration(attempt.duration_ms ?? 0) }),
      expired: attempt.state === 'expired',
      ...sayRanks(attempt.ranks, t),
      ...this.kindWords(attempt),
    }
  },

  /** The comment on this result and the suggested next step: the wrongly answered questions. */
  kindWords({ correct_count: right = 0, question_count: count }: Attempt) {
    const { t } = this.data
    const wrong = count - right
    const step = wrong === 0 ? t.all_right : right * 5 >= count * 4 ? t.well : right * 5 >= count * 3 ? t.fair : t.start
    return { kindWord: step, wrong: wrong === 0 ? '' : fill(t.wrong_kept, { count: wrong }) }
  },

  board() {
    open(`/packages/quiz/board/index?id=${this.data.contest}`)
  },
  share() {
    open(`/packages/quiz/share/index?id=${this.data.id}`)
  },
  certificate() {
    open(`/packages/mine/certificates/index?source=${this.data.contest}`)
  },
  records() {
    open(`/packages/quiz/records/index?id=${this.data.contest}`)
  },
  city: () => open('/packages/mine/profile/index'),
  practice: () => open('/packages/quiz/practice/index'),
  mistakes: () => open('/packages/quiz/practice/index?from=mistakes'),

  report(event: WechatMiniprogram.TouchEvent) {
    this.setData({ reporting: event.currentTarget.dataset.id as string, key: freshKey() })
  },
  closeReport() {
    this.setData({ reporting: '' })
  },
  async sendReport(event: WechatMiniprogram.CustomEvent<{ reason: string }>) {
    await act(this, async () => {
      await quiz.report(this.data.reporting, event.detail.reason, this.data.key)
      this.closeReport()
      say(this.data.c.report_thanks)
    })
  },
})
