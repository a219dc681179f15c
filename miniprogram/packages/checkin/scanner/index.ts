/** The scanner of one gate: one tap per ticket, with or without network. */
import type { Direction } from '../../../api/checkin'
import type { Choice } from '../../../logic/choices'
import { dress, dressed } from '../../../kit/dress'
import { act } from '../../../kit/load'
import { open, replace, say, scanCode, wire } from '../../../platform/wx'
import type { Outcome } from '../gate'
import { signal } from '../signal'
import { Watch } from '../watch'
import type { Count } from './standing'
import { standingOf } from './standing'
import type { Shown } from './wording'
import { shownOf } from './wording'

/** The gates of the open pages, which are more than plain data. */
const watches = new WeakMap<object, Watch>()

Page({
  data: {
    ...dressed('scanner'),
    busy: false,
    id: '',
    direction: 'in' as Direction,
    ways: [] as Choice[],
    shown: null as Shown | null,
    /** Whether a scanned ticket is being checked. */
    checking: false,
    ...{ activity: '', grant: '', ended: false, left: '', conflicts: '' },
    ...{ unsent: '', waits: false, network: '', trouble: '', roster: '', counted: '' },
    counts: [] as Count[],
  },

  onLoad({ id = '' }: Record<string, string | undefined>) {
    const { t } = this.data
    this.setData({ id, ways: [{ value: 'in', label: t.in }, { value: 'out', label: t.out }] })
    watches.set(this, new Watch(id, () => this.show()))
  },
  onShow() {
    dress(this, 'scanner')
    this.show()
    this.watch().start()
  },
  onHide() {
    this.watch().stop()
  },
  onUnload() {
    this.watch().stop()
  },
  watch(): Watch {
    return watches.get(this) as Watch
  },

  show() {
    const { gate } = this.watch()
    this.setData(standingOf(gate, wire.now(), this.data.t))
    const late = this.data.shown?.waits ? gate.answerTo(this.data.shown.waits) : null
    if (late) this.correct(late)
  },
  tell(outcome: Outcome) {
    const shown = this.shownOf(outcome)
    this.setData({ shown })
    signal(shown.tone === 'good')
    this.show()
  },
  shownOf(outcome: Outcome): Shown {
    return shownOf(outcome, wire.now(), this.watch().gate.roster?.opens_at ?? '', this.data.t)
  },
  /** Shows the server's answer to the shown scan; signals one that differs from the shown result. */
  correct(late: Outcome) {
    const shown = this.shownOf(late)
    if (shown.tone !== this.data.shown?.tone) signal(shown.tone === 'good')
    this.setData({ shown })
  },

  async scan() {
    const { t, busy, direction } = this.data
    if (busy) return
    const seen = await scanCode()
    if (seen.kind === 'denied') say(t.denied)
    if (seen.kind !== 'read') return
    this.setData({ checking: true, shown: null })
    await act(this, async () => {
      const outcome = await this.watch().gate.scan(seen.text, direction)
      if (outcome) this.tell(outcome)
    })
    this.setData({ checking: false })
    this.show()
  },
  admit() {
    const { shown, direction } = this.data
    if (shown) this.tell(this.watch().gate.admitUnchecked(shown.ticket, direction))
  },
  pickWay(event: WechatMiniprogram.CustomEvent<{ value: Direction }>) {
    this.setData({ direction: event.detail.value, shown: null })
  },

  async send() {
    await act(this, () => this.watch().catchUp())
  },
  async update() {
    await act(this, async () => {
      const { gate } = this.watch()
      await gate.refresh(true)
      this.show()
      if (!gate.away && !gate.broken && !gate.ended) say(this.data.t.updated)
    })
  },
  find() {
    open(`/packages/checkin/guests/index?id=${this.data.id}`)
  },
  list() {
    open(`/packages/checkin/scans/index?id=${this.data.id}`)
  },
  regrant: () => replace('/packages/checkin/gates/index'),
})
