/** Home: the campaign, open contests, and the attempts left today. */
import { lectures, programme, quiz } from '../../api/index'
import { Problem } from '../../api/problem'
import type { Campaign, Contest, Programme } from '../../api/shapes'
import { phoneOf } from '../../logic/contact'
import { fill } from '../../logic/fill'
import { dress, dressTabs, dressed } from '../../kit/dress'
import { load } from '../../kit/load'
import { endPull, offerGroupShare, open, openTab, wire } from '../../platform/wx'
import { openCard, pastCard, todayCard } from './cards'
import type { OpenCard, PastCard, TodayCard } from './cards'

Page({
  data: {
    ...dressed('home'),
    state: 'loading',
    problem: '',
    campaign: null as Campaign | null,
    target: '',
    notice: '',
    contests: [] as OpenCard[],
    past: null as PastCard | null,
    programmes: [] as Programme[],
    /** The user's activity of today; null without one, and until the server has told it. */
    today: null as TodayCard | null,
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
        phone: phoneOf(campaign),
        ...this.aims(campaign),
        ...this.cards(contests.items),
        programmes: all.items.filter(({ state }) => state === 'now').slice(0, 3),
      }
    })
    await this.readToday()
  },

  /** Reads the user's activity of today after everything else; the page is complete without it. */
  async readToday() {
    if (!wire.canLogIn() || this.data.state !== 'content') return
    try {
      this.setData({ today: todayCard((await lectures.tickets()).items, wire.now()) })
    } catch (why) {
      if (!(why instanceof Problem)) throw why
    }
  },

  /**
   * In an edition of another year, the notice's aim and wording are shown with the notice's year.
   */
  aims({ target, shift_weeks, notice_year: year, notice_text: text }: Campaign) {
    const { t } = this.data
    if (shift_weeks === 0) return { target: fill(t.target, { ...target }), notice: '' }
    return { target: fill(t.target_of_notice, { ...target, year }), notice: fill(t.notice, { year, text }) }
  },

  /** Open contests, and the one that closed last, because its board is still read. */
  cards(items: Contest[]) {
    const { t, c } = this.data
    const now = wire.now()
    const past = items.filter(({ state }) => state === 'closed')
    past.sort((one, other) => Date.parse(other.closes_at) - Date.parse(one.closes_at))
    return {
      contests: items.filter(({ state }) => state === 'open').map((one) => openCard(one, now, t, c)),
      past: past[0] ? pastCard(past[0], now, t, c) : null,
    }
  },

  async onPullDownRefresh() {
    await this.read()
    endPull()
  },

  /** Opens a running paper directly, because its time is limited. */
  round(event: WechatMiniprogram.TouchEvent) {
    const { id, paper } = event.currentTarget.dataset as { id: string; paper: string }
    open(paper ? `/packages/quiz/answer/index?id=${paper}` : `/packages/quiz/round/index?id=${id}`)
  },
  board(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/quiz/board/index?id=${event.currentTarget.dataset.id as string}`)
  },
  practice: () => open('/packages/quiz/practice/index'),
  mistakes: () => open('/packages/quiz/mistakes/index'),
  lectures: () => open('/packages/lectures/list/index'),
  arrive: () => open('/packages/checkin/arrive/index'),
  tickets: () => open('/packages/lectures/ticket/index'),
  all: () => openTab('/pages/programme/index'),
  detail(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/programme/detail/index?slug=${event.currentTarget.dataset.slug as string}`)
  },

  onShareAppMessage() {
    return { title: this.data.campaign?.title.zh ?? this.data.t.title, path: '/pages/home/index' }
  },
})
