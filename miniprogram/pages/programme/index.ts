/** All programmes of the campaign: theme activities and joint actions, current ones first. */
import { programme } from '../../api/index'
import type { Programme } from '../../api/shapes'
import { sayStretch } from '../../logic/dates'
import { dress, dressTabs, dressed } from '../../kit/dress'
import { load } from '../../kit/load'
import { endPull, open } from '../../platform/wx'

interface Line {
  slug: string
  title: string
  dates: string
  place: string
  now: boolean
  say: string
}

const ORDER: Programme['state'][] = ['now', 'upcoming', null, 'past']

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
      const place = ({ state }: Programme) => ORDER.indexOf(state)
      const lines = found.items.sort((one, other) => place(one) - place(other)).map((one) => this.line(one))
      return { lines, state: lines.length > 0 ? 'content' : 'empty' }
    })
  },

  line(one: Programme): Line {
    const { t } = this.data
    return {
      slug: one.slug,
      title: one.title,
      dates: one.date_text ?? sayStretch(one.start, one.end),
      place: one.place ?? '',
      now: one.state === 'now',
      say: one.state ? { now: t.now, upcoming: t.later, past: t.past }[one.state] : '',
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
