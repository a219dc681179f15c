/** Home: the campaign, what is open now, and what the reader has left today. */
import { programme, quiz } from '../../api/index'
import type { Campaign, Contest, Programme } from '../../api/shapes'
import { sayInstant } from '../../logic/dates'
import { fill } from '../../logic/fill'
import { dress, dressTabs, dressed } from '../../kit/dress'
import { load } from '../../kit/load'
import { endPull, offerGroupShare, open, openTab, wire } from '../../platform/wx'

interface Open {
  id: string
  title: string
  closes: string
  questions: string
  minutes: string
  each: string
  full: string
  today: string
  waiting: boolean
  best: string
  action: string
}

Page({
  data: {
    ...dressed('home'),
    state: 'loading',
    problem: '',
    campaign: null as Campaign | null,
    target: '',
    notice: '',
    contests: [] as Open[],
    programmes: [] as Programme[],
  },

  onLoad() {
    offerGroupShare()
  },

  onShow() {
    dress(this, 'home')
    dressTabs(this)
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const [campaign, contests, all] = await Promise.all([
        programme.campaign(),
        quiz.contests(),
        programme.list({}),
      ])
      return {
        campaign,
        ...this.aims(campaign),
        contests: contests.items.filter(({ state }) => state === 'open').map((one) => this.opened(one)),
        programmes: all.items.filter(({ state }) => state === 'now').slice(0, 3),
      }
    })
  },

  /** An edition of another year shows the notice's aim and words as those of its year. */
  aims({ target, shift_weeks, notice_year: year, notice_text: text }: Campaign) {
    const { t } = this.data
    if (shift_weeks === 0) return { target: fill(t.target, { ...target }), notice: '' }
    return { target: fill(t.target_of_notice, { ...target, year }), notice: fill(t.notice, { year, text }) }
  },

  opened({ id, title, closes_at, rules, me }: Contest): Open {
    const { t } = this.data
    const left = me?.attempts_left_today ?? rules.papers_per_day
    const best = me?.best_score ?? null
    return {
      id,
      title,
      closes: fill(t.closes, { time: sayInstant(closes_at, wire.now()) }),
      questions: fill(t.questions, { count: rules.question_count }),
      minutes: fill(t.minutes, { count: Math.ceil(rules.paper_seconds / 60) }),
      each: rules.seconds_per_question ? fill(t.each, { count: rules.seconds_per_question }) : '',
      full: fill(t.full, { count: rules.max_score }),
      today: me?.open_attempt_id ? t.paper_open : left > 0 ? fill(t.left_today, { count: left }) : t.none_left,
      waiting: Boolean(me?.open_attempt_id),
      best: best === null ? '' : fill(t.best, { score: best }),
      action: me?.open_attempt_id ? t.go_on : left > 0 ? t.start : t.look,
    }
  },

  async onPullDownRefresh() {
    await this.read()
    endPull()
  },

  round(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/quiz/round/index?id=${event.currentTarget.dataset.id as string}`)
  },
  board(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/quiz/board/index?id=${event.currentTarget.dataset.id as string}`)
  },
  practice: () => open('/packages/quiz/practice/index'),
  mistakes: () => open('/packages/quiz/mistakes/index'),
  all: () => openTab('/pages/programme/index'),
  detail(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/programme/detail/index?slug=${event.currentTarget.dataset.slug as string}`)
  },

  onShareAppMessage() {
    return { title: this.data.campaign?.title.zh ?? this.data.t.title, path: '/pages/home/index' }
  },
})
