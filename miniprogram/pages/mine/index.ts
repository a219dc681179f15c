/** The user's page: profile, own results, and links to all personal pages. */
import { accounts, quiz } from '../../api/index'
import type { Profile } from '../../api/shapes'
import { contestOf } from '../../logic/contests'
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
    total: '',
    today: '',
  },

  onShow() {
    dress(this, 'mine')
    dressTabs(this)
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const [profile, contests] = await Promise.all([accounts.me(), quiz.contests()])
      const { t, c } = this.data
      const me = contestOf(contests.items)?.me ?? null
      return {
        profile,
        name: profile.nickname ?? profile.pending_nickname ?? t.nameless,
        total: standingOf(me, c).total || t.no_score,
        today: me ? fill(t.left_today, { count: me.attempts_left_today }) : '',
      }
    })
  },

  async onPullDownRefresh() {
    await this.read()
    endPull()
  },

  consent: () => open('/packages/mine/consent/index'),
  edit: () => open('/packages/mine/profile/index'),
  boards: () => open('/packages/quiz/board/index?id='),
  records: () => open('/packages/quiz/records/index?id='),
  mistakes: () => open('/packages/quiz/mistakes/index'),
  inbox: () => open('/packages/mine/inbox/index'),
  subscriptions: () => open('/packages/mine/subscriptions/index'),
  settings: () => open('/packages/mine/settings/index'),
  privacy: () => open('/packages/mine/privacy/index'),
  own: () => open('/packages/mine/data/index'),
})
