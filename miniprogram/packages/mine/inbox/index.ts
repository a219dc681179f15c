/** Every notice to the user, including those that could not be pushed. */
import { notices } from '../../../api/index'
import type { Letter } from '../../../api/shapes'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { endPull, open, wire } from '../../../platform/wx'

/** Characters of a text in the list; the whole text is on the message's own page. */
const MOST = 60

function shorten(body: string): string {
  const letters = Array.from(body)
  return letters.length > MOST ? `${letters.slice(0, MOST).join('')}…` : body
}

interface Shown {
  id: string
  title: string
  body: string
  at: string
  reason: string
  fresh: boolean
  withdrawn: boolean
  /** What a screen reader says of the row. */
  label: string
}

Page({
  data: {
    ...dressed('inbox'),
    state: 'loading',
    problem: '',
    busy: false,
    letters: [] as Shown[],
    next: null as string | null,
    unread: '',
  },

  onShow() {
    dress(this, 'inbox')
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const { items, next, unread } = await notices.inbox()
      const letters = items.map((one) => this.letter(one))
      return { letters, next, unread: this.unread(unread), state: letters.length > 0 ? 'content' : 'empty' }
    })
  },

  unread(count: number): string {
    return count > 0 ? fill(this.data.t.unread, { count }) : ''
  },

  letter({ id, title, body, posted_at, not_pushed_reason: reason, withdrawn, read }: Letter): Shown {
    const { t } = this.data
    const why = reason === null ? '' : fill(t.not_pushed, { reason })
    const at = sayInstant(posted_at, wire.now())
    const label = [read ? '' : t.fresh, withdrawn ? t.withdrawn : '', title, at, why].filter((words) => words !== '').join('，')
    return { id, title, body: shorten(body), at, reason: why, fresh: !read, withdrawn, label }
  },

  open(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/mine/message/index?id=${event.currentTarget.dataset.id as string}`)
  },
  subscriptions: () => open('/packages/mine/subscriptions/index'),

  async readAll() {
    await act(this, async () => {
      await notices.readAll()
      await this.read()
    })
  },

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
