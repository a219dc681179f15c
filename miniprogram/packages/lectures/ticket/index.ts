/** The user's tickets: readable without network, with the screen bright while a code is shown. */
import { lectures } from '../../../api/index'
import type { Ticket } from '../../../api/lectures'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { brighten, confirm, copy, dim, endPull, open, say, wire } from '../../../platform/wx'
import type { PastRow, Row } from './rows'
import { pastRowOf, rowOf } from './rows'

const KEY = 'tickets'

interface Kept {
  at: number
  items: Ticket[]
}

Page({
  data: {
    ...dressed('ticket'),
    state: 'loading',
    problem: '',
    busy: false,
    rows: [] as Row[],
    /** Activities of the last 30 days that the user came to; not kept on the phone. */
    past: [] as PastRow[],
    kept: '',
    /** The user's absences in words; empty without any. */
    absent: '',
    /** The activity whose code is shown; one at a time, so that a scanner reads the right one. */
    shown: '',
  },

  onShow() {
    dress(this, 'ticket')
    this.showKept()
    void this.read()
  },
  onHide: () => dim(),
  onUnload: () => dim(),

  /** Shows the copy on this phone until the server answers. */
  showKept() {
    const kept = wire.read<Kept>(KEY)
    if (!kept || kept.items.length === 0) return
    const time = sayInstant(new Date(kept.at).toISOString(), wire.now())
    this.setData({ ...this.rowsOf(kept.items), state: 'content', kept: fill(this.data.t.kept, { time }) })
    this.light()
  },
  async read() {
    await load(this, async () => {
      const { items, past, absences } = await lectures.tickets()
      wire.write(KEY, { at: wire.now(), items })
      const absent = absences && absences.count > 0 ? absences.sentence : ''
      const rows = past.map((one) => pastRowOf(one, wire.now()))
      return { ...this.rowsOf(items), past: rows, absent, kept: '', state: items.length + past.length > 0 ? 'content' : 'empty' }
    })
    this.light()
  },

  /** The cards, and the code to show: the one shown before if it still exists, else the first. */
  rowsOf(items: Ticket[]) {
    const { t, c, shown } = this.data
    const rows = items.map((one) => rowOf(one, wire.now(), t, c))
    const codes = rows.filter(({ picture }) => picture !== '').map(({ id }) => id)
    return { rows, shown: codes.includes(shown) ? shown : (codes[0] ?? '') }
  },
  light() {
    if (this.data.state === 'content' && this.data.shown !== '') brighten()
    else dim()
  },

  show(event: WechatMiniprogram.TouchEvent) {
    const id = event.currentTarget.dataset.id as string
    this.setData({ shown: id === this.data.shown ? '' : id })
    this.light()
  },
  async onPullDownRefresh() {
    await this.read()
    endPull()
  },
  detail(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/lectures/detail/index?id=${event.currentTarget.dataset.id as string}`)
  },

  /** Copies the address of the calendar feed, for the phone's or the computer's calendar. */
  async copyCalendar() {
    const { t } = this.data
    let address = ''
    // WeChat may ask before it copies, so the copying is no part of the request.
    const opened = await act(this, async () => {
      address = await lectures.openCalendar()
    })
    if (opened) say((await copy(address)) ? t.calendar_copied : t.calendar_not_copied)
  },
  async endCalendar() {
    const { t } = this.data
    const yes = await confirm({ title: t.calendar_end, content: t.calendar_end_ask, yes: t.calendar_end_yes, no: t.calendar_end_no, danger: true })
    if (!yes) return
    await act(this, async () => {
      await lectures.endCalendar()
      say(t.calendar_ended)
    })
  },
  arrive: () => open('/packages/checkin/arrive/index'),
  certificate(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/mine/certificates/index?source=${event.currentTarget.dataset.id as string}`)
  },
  rate(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/checkin/feedback/index?id=${event.currentTarget.dataset.id as string}`)
  },
  find: () => open('/packages/lectures/list/index'),
})
