/** All programmes of the campaign: theme activities and joint actions, what is on now first. */
import { programme } from '../../api/index'
import type { Programme } from '../../api/shapes'
import { dayOf, sayStretch, whenIs } from '../../logic/dates'
import type { When } from '../../logic/dates'
import { dress, dressTabs, dressed } from '../../kit/dress'
import { load } from '../../kit/load'
import { endPull, open, wire } from '../../platform/wx'

interface Line {
  slug: string
  title: string
  dates: string
  place: string
  when: When
  say: string
}

const ORDER: When[] = ['now', 'later', 'unknown', 'past']

Page({
  data: {
    ...dressed('programme'),
    state: 'loading',
    problem: '',
    kinds: [] as { value: string; label: string }[],
    picked: ['theme'],
    lines: [] as Line[],
  },

  onShow() {
    dress(this, 'programme')
    dressTabs(this)
    const { t } = this.data
    this.setData({
      kinds: [
        { value: 'theme', label: t.kind_theme },
        { value: 'joint', label: t.kind_joint },
      ],
    })
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const kind = this.data.picked[0]
      const found = await programme.list({ kind })
      const today = dayOf(wire.now())
      const lines = found.items.map((one) => this.line(one, today))
      lines.sort((one, other) => ORDER.indexOf(one.when) - ORDER.indexOf(other.when))
      return { lines, state: lines.length > 0 ? 'content' : 'empty' }
    })
  },

  line(one: Programme, today: string): Line {
    const when = whenIs(one.start, one.end, today)
    const { t } = this.data
    return {
      slug: one.slug,
      title: one.title,
      dates: one.date_text ?? sayStretch(one.start, one.end),
      place: one.place ?? '',
      when,
      say: { now: t.now, later: t.later, past: t.past, unknown: '' }[when],
    }
  },

  async onPullDownRefresh() {
    await this.read()
    endPull()
  },

  pick(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ picked: [event.detail.value], state: 'loading' })
    void this.read()
  },
  detail(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/programme/detail/index?slug=${event.currentTarget.dataset.slug as string}`)
  },
})
