/** The leaderboards of a contest: region, the user's own place, the user's WeChat group. */
import { quiz } from '../../../api/index'
import { codeOf } from '../../../api/problem'
import type { Board, Contest } from '../../../api/shapes'
import { NOWHERE, PERIODS, scopeOf } from '../../../logic/ranking'
import type { Home, Period, Place, Row } from '../../../logic/ranking'
import { dress, dressed } from '../../../kit/dress'
import { load } from '../../../kit/load'
import { settings } from '../../../kit/settings'
import { endPull, offerGroupShare, open, wire } from '../../../platform/wx'
import { contestFor, homeOf } from './home'
import { choicesOf, shownOf } from './shown'

const STRETCHES = ['total', 'week', 'day'] as const

Page({
  data: {
    ...dressed('board'),
    state: 'loading',
    problem: '',
    id: '',
    title: '',
    contestState: 'open' as Contest['state'],
    places: [] as { value: string; label: string }[],
    place: 'region' as Place,
    periods: [] as { value: string; label: string }[],
    period: 'total' as Period,
    home: NOWHERE as Home,
    top: [] as Row[],
    around: [] as Row[],
    own: null as Row | null,
    total: '',
    asOf: '',
    final: '',
    finalNote: '',
    groupNote: '',
  },

  onLoad(query: Record<string, string | undefined>) {
    this.setData({ id: query.id ?? '' })
    offerGroupShare()
  },

  onShow() {
    dress(this, 'board')
    void this.arrive()
  },

  /**
   * Loads the contest and the user's places; after arriving from a group it opens the group's
   * board.
   */
  async arrive() {
    await load(this, async () => {
      const contest = await contestFor(this.data.id)
      if (!contest) return { state: 'empty' }
      const { id, title, state: contestState, rules } = contest
      const { home, joined, needsConsent } = await homeOf(settings().group)
      const { t } = this.data
      const place = joined ? 'group' : this.data.place
      // A contest that is over has no board of today or of this week.
      const over = contestState === 'closed'
      const periods = over ? [] : STRETCHES.map((value) => ({ value, label: t[value] }))
      const period = over ? 'total' : this.data.period
      this.setData({ id, title, contestState, home, periods, period, places: choicesOf(home, rules.divisions, t), place, groupNote: needsConsent ? t.group_consent : '' })
      return this.board()
    })
  },

  read() {
    return load(this, () => this.board())
  },

  async board(): Promise<Record<string, unknown>> {
    const { id, place, home, period } = this.data
    const scope = scopeOf(place, home) ?? 'region'
    try {
      return this.shown(await quiz.board(id, scope, PERIODS[period]))
    } catch (why) {
      if (place !== 'group' || codeOf(why) !== 'not_found') throw why
      // A user who is not a member sees the public board, unless another was chosen meanwhile.
      if (this.data.place === place) this.setData({ place: 'region' })
      return this.shown(await quiz.board(id, 'region', PERIODS[period]))
    }
  },

  shown(board: Board) {
    const { contestState, t, c } = this.data
    return shownOf(board, contestState, wire.now(), t, c)
  },

  pickPlace(event: WechatMiniprogram.CustomEvent<{ value: Place }>) {
    this.setData({ place: event.detail.value, state: 'loading' })
    void this.read()
  },
  pickPeriod(event: WechatMiniprogram.CustomEvent<{ value: Period }>) {
    this.setData({ period: event.detail.value, state: 'loading' })
    void this.read()
  },
  async onPullDownRefresh() {
    await this.read()
    endPull()
  },
  answer() {
    open(`/packages/quiz/round/index?id=${this.data.id}`)
  },
  practice: () => open('/packages/quiz/practice/index'),
  profile: () => open('/packages/mine/profile/index'),
  consent: () => open('/packages/mine/consent/index'),

  onShareAppMessage() {
    return { title: this.data.t.share_title, path: `/packages/quiz/board/index?id=${this.data.id}` }
  },
  onShareTimeline() {
    return { title: this.data.t.share_title, query: `id=${this.data.id}` }
  },
})
