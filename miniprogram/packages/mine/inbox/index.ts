/** Every notice to the user, including those that could not be pushed. */
import { notices } from '../../../api/index'
import type { Letter } from '../../../api/shapes'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { load } from '../../../kit/load'
import { endPull, open, wire } from '../../../platform/wx'

interface Shown {
  id: string
  title: string
  body: string
  at: string
  reason: string
  page: string
}

Page({
  data: {
    ...dressed('inbox'),
    state: 'loading',
    problem: '',
    letters: [] as Shown[],
    next: null as string | null,
  },

  onShow() {
    dress(this, 'inbox')
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const { items, next } = await notices.inbox()
      const letters = items.map((one) => this.letter(one))
      return { letters, next, state: letters.length > 0 ? 'content' : 'empty' }
    })
  },

  letter({ id, title, body, page, posted_at, not_pushed_reason: reason }: Letter): Shown {
    const { t } = this.data
    const why = reason === null ? '' : fill(t.not_pushed, { reason })
    return { id, title, body, page: page ? `/${page}` : '', at: sayInstant(posted_at, wire.now()), reason: why }
  },

  follow(event: WechatMiniprogram.TouchEvent) {
    open(event.currentTarget.dataset.page as string)
  },
  subscriptions: () => open('/packages/mine/subscriptions/index'),

  async onReachBottom() {
    const { next, letters } = this.data
    if (next === null) return
    await load(this, async () => {
      const more = await notices.inbox(next)
      return { letters: [...letters, ...more.items.map((one) => this.letter(one))], next: more.next }
    })
  },
  async onPullDownRefresh() {
    await this.read()
    endPull()
  },
})
