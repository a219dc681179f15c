/** The user's papers in a contest: the ranked total, today's total, and each paper. */
import { quiz } from '../../../api/index'
import type { Contest } from '../../../api/shapes'
import { ownContestOf } from '../../../logic/contests'
import { sayScore } from '../../../logic/figures'
import { fill } from '../../../logic/fill'
import { type Row, rowOf } from './rows'
import { standingOf } from '../../../logic/standing'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { endPull, freshKey, open, say } from '../../../platform/wx'

Page({
  data: {
    ...dressed('records'),
    state: 'loading',
    problem: '',
    id: '',
    title: '',
    contests: [] as { value: string; label: string }[],
    ...{ total: '', next: '', today: '', board: '' },
    rows: [] as Row[],
    after: null as string | null,
    ...{ appealing: '', busy: false, key: '' },
    sheet: {} as Record<string, string>,
  },

  onLoad(query: Record<string, string | undefined>) {
    this.setData({ id: query.id ?? '' })
    void this.read()
  },
  onShow() {
    dress(this, 'records')
  },

  async read() {
    await load(this, async () => {
      const all = (await quiz.contests()).items
      const contest = all.find(({ id }) => id === this.data.id) ?? (await this.contest(all))
      if (!contest) return { state: 'empty' }
      const { items, next } = await quiz.records(contest.id)
      const { t } = this.data
      const taken = all.filter(({ id, me }) => me?.total != null || me?.held || id === contest.id)
      return {
        ...this.shown(contest),
        contests: taken.map(({ id, title }) => ({ value: id, label: title })),
        rows: items.map((one) => rowOf(one, t)),
        after: next,
        state: items.length > 0 ? 'content' : 'empty',
      }
    })
  },

  /** The requested contest, even if it is too old for the list; by default the user's own. */
  async contest(all: Contest[]): Promise<Contest | undefined> {
    return this.data.id ? quiz.contest(this.data.id) : ownContestOf(all)
  },

  shown({ id, title, state, me }: Contest) {
    const { t, c } = this.data
    const today = me?.today_score ?? null
    return {
      id,
      title,
      board: state === 'closed' ? t.final_board : t.board,
      ...standingOf(me, c),
      ...(state === 'closed' ? { next: '' } : {}),
      today: me?.held ? '' : today === null ? t.today_none : fill(t.today, { score: sayScore(today) }),
    }
  },

  async onReachBottom() {
    const { after, rows, id, t } = this.data
    if (after === null) return
    await load(this, async () => {
      const { items, next } = await quiz.records(id, after)
      return { rows: [...rows, ...items.map((one) => rowOf(one, t))], after: next }
    })
  },

  pick(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ id: event.detail.value, state: 'loading' })
    void this.read()
  },
  async onPullDownRefresh() {
    await this.read()
    endPull()
  },
  paper(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/quiz/result/index?id=${event.currentTarget.dataset.id as string}`)
  },
  card(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/quiz/share/index?id=${event.currentTarget.dataset.id as string}`)
  },
  appeal(event: WechatMiniprogram.TouchEvent) {
    const { t, c } = this.data
    const sheet = { ...c, report_heading: t.appeal, report_hint: t.appeal_hint, report_send: t.appeal_send }
    this.setData({ appealing: event.currentTarget.dataset.id as string, key: freshKey(), sheet })
  },
  closeAppeal() {
    this.setData({ appealing: '' })
  },
  async sendAppeal(event: WechatMiniprogram.CustomEvent<{ reason: string }>) {
    await act(this, async () => {
      await quiz.appeal(this.data.appealing, event.detail.reason, this.data.key)
      this.closeAppeal()
      say(this.data.t.appeal_sent)
      await this.read()
    })
  },
  certificate() {
    open(`/packages/mine/certificates/index?source=${this.data.id}`)
  },
  board() {
    open(`/packages/quiz/board/index?id=${this.data.id}`)
  },
  answer() {
    open(`/packages/quiz/round/index?id=${this.data.id}`)
  },
})
