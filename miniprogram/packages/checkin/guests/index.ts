/** Finds a person by the end of the number or by name; admits by hand, records a departure, undoes an
 * admission. */
import { checkin } from '../../../api/index'
import { OFFLINE, codeOf } from '../../../api/problem'
import type { Choice } from '../../../logic/choices'
import { dress, dressed } from '../../../kit/dress'
import { act } from '../../../kit/load'
import { open, say, wire } from '../../../platform/wx'
import type { Row } from './rows'
import { rowOf } from './rows'

type Act = 'admit' | 'undo'

const asChoices = (...reasons: string[]): Choice[] => reasons.map((value) => ({ value, label: value }))

Page({
  data: {
    ...dressed('guests'),
    busy: false,
    ...{ id: '', q: '', searched: false, away: false },
    rows: [] as Row[],
    /** The person and the act whose reason is being entered. */
    ...{ chosen: '', act: 'admit' as Act, reason: '' },
    reasons: [] as Choice[],
  },

  onLoad({ id = '' }: Record<string, string | undefined>) {
    this.setData({ id })
  },
  onShow() {
    dress(this, 'guests')
  },

  typed(event: WechatMiniprogram.Input) {
    this.setData({ q: event.detail.value })
  },
  async search() {
    const { t, q } = this.data
    if (q.trim() === '') return say(t.type_first)
    await act(this, () => this.find())
  },
  /** Without network the page itself says what to do. */
  async find() {
    const { id, q, t } = this.data
    try {
      const { items } = await checkin.guests(id, q.trim())
      this.setData({ rows: items.map((one) => rowOf(one, wire.now(), t)), searched: true, away: false, chosen: '' })
    } catch (why) {
      if (codeOf(why) !== OFFLINE) throw why
      this.setData({ rows: [], searched: false, away: true, chosen: '' })
    }
  },

  choose(event: WechatMiniprogram.TouchEvent) {
    const { t } = this.data
    const { id, act: wanted } = event.currentTarget.dataset as { id: string; act: Act }
    const reasons = wanted === 'undo' ? asChoices(t.wrong_person, t.left_again) : asChoices(t.no_battery, t.no_ticket, t.by_phone)
    this.setData({ chosen: id, act: wanted, reasons, reason: '' })
  },
  pick(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ reason: event.detail.value })
  },
  write(event: WechatMiniprogram.Input) {
    this.setData({ reason: event.detail.value })
  },
  async confirm() {
    const { t, chosen, act: wanted, id, reason } = this.data
    if (reason.trim() === '') return say(t.reason_first)
    const send = wanted === 'undo' ? checkin.undo : checkin.admit
    await this.done(() => send(id, chosen, reason.trim()), wanted === 'undo' ? t.undone : t.admitted)
  },
  async depart(event: WechatMiniprogram.TouchEvent) {
    const person = event.currentTarget.dataset.id as string
    await this.done(() => checkin.depart(this.data.id, person), this.data.t.departed)
  },
  /** Runs an action and shows the person in the server's new state. */
  async done(work: () => Promise<unknown>, words: string) {
    await act(this, async () => {
      await work()
      say(words)
      await this.find()
    })
  },

  walkIn() {
    open(`/packages/checkin/walkin/index?id=${this.data.id}`)
  },
})
