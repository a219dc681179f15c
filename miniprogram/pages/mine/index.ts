/** The user's page: profile, own results, and links to all personal pages. */
import { accounts, notices, quiz } from '../../api/index'
import { Problem } from '../../api/problem'
import type { Profile } from '../../api/shapes'
import { leftToday, ownContestOf } from '../../logic/contests'
import { fill } from '../../logic/fill'
import { standingOf } from '../../logic/standing'
import { dress, dressTabs, dressed } from '../../kit/dress'
import { load } from '../../kit/load'
import { endPull, open } from '../../platform/wx'

Page({
  data: {
    ...dressed('mine'),
    state: 'loading',
    problem: '',
    profile: null as Profile | null,
    name: '',
    contest: '',
    total: '',
    today: '',
    unread: '',
  },

  onShow() {
    dress(this, 'mine')
    dressTabs(this)
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const [profile, contests, unread] = await Promise.all([accounts.me(), quiz.contests(), this.unread()])
      const { t, c } = this.data
      const own = ownContestOf(contests.items)
      const total = standingOf(own?.me ?? null, c).total
      const left = leftToday(contests.items)
      return {
        profile,
        unread,
        name: profile.nickname ?? profile.pending_nickname ?? t.nameless,
        contest: total ? (own?.title ?? '') : '',
        total: total || t.no_score,
        today: left === null ? '' : fill(t.left_today, { count: left }),
      }
    })
  },

  /** Empty when nothing is new or the number cannot be read: the page is useful without it. */
  async unread(): Promise<string> {
    try {
      const count = await notices.unread()
      return count > 0 ? fill(this.data.t.unread, { count }) : ''
    } catch (why) {
      if (!(why instanceof Problem)) throw why
      return ''
    }
  },

  async onPullDownRefresh() {
    await this.read()
    endPull()
  },

  consent: () => open('/packages/mine/consent/index'),
  edit: () => open('/packages/mine/profile/index'),
  boards: () => open('/packages/quiz/board/index?id='),
  records: () => open('/packages/quiz/records/index?id='),
  certificates: () => open('/packages/mine/certificates/index'),
  mistakes: () => open('/packages/quiz/mistakes/index'),
  tickets: () => open('/packages/lectures/ticket/index'),
  gates: () => open('/packages/checkin/gates/index'),
  inbox: () => open('/packages/mine/inbox/index'),
  subscriptions: () => open('/packages/mine/subscriptions/index'),
  settings: () => open('/packages/mine/settings/index'),
  privacy: () => open('/packages/mine/privacy/index'),
  own: () => open('/packages/mine/data/index'),
})
