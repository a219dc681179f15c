/** The paper page: one question at a time, a countdown by server time, answers saved at once. */
import { setChanged } from '../../../kit/changed'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { askAtBackKey, back, backKeyFree, confirm, replace, say, scrollUp, wire } from '../../../platform/wx'
import { PaperSession } from './paper-session'
import { askToFinish, askToLeave, clockOf, handOf, shownOf } from './shown'
import type { Shown } from './shown'

const TICK_MS = 500

Page({
  data: {
    ...dressed('answer'), state: 'loading', problem: '', busy: false, face: '', urgency: 'calm',
    shown: null as Shown | null, saving: '', hand: '', handNote: '', sheet: false,
  },
  ticking: 0,
  session: null as PaperSession | null,
  /** Whether this page is visible: only then the countdown runs and the page may navigate. */
  here: false,
  asking: false,

  onLoad(query: Record<string, string | undefined>) {
    this.session = new PaperSession(query.id ?? '', {
      saving: (what) => this.setData({ saving: this.data.t[what] }),
      closed: () => this.leave(),
      refused: (why) => (this.tick(), void act(this, () => Promise.reject(why))),
    })
  },
  /** Reads the paper again on return, because the server decides the time left. */
  onShow() {
    dress(this, 'answer')
    this.here = true
    void this.read()
  },
  onHide() { this.away() },
  onUnload() { this.away() },
  away() {
    this.here = false
    clearInterval(this.ticking)
  },

  async read() {
    await load(this, async () => {
      const paper = await this.session?.read()
      if (paper?.phase === 'closed') this.leave()
      else if (paper && this.here) this.run()
      return {}
    })
  },

  run() {
    askAtBackKey(this.data.t.leave_ask)
    this.show()
    clearInterval(this.ticking)
    this.ticking = setInterval(() => this.tick(), TICK_MS)
    this.tick()
    void this.session?.save()
  },

  tick() {
    const { session } = this
    if (!session?.paper) return
    const [now, { t }] = [wire.now(), this.data]
    setChanged(this, { ...clockOf(session.paper, now, t), ...handOf(session.handing, session.paper, now, t) })
    session.goOn(now)
  },

  show() {
    if (this.session?.paper) this.setData({ shown: shownOf(this.session.paper, this.data.t) })
  },

  pick(event: WechatMiniprogram.CustomEvent<{ key: string }>) {
    this.session?.choose(event.detail.key)
    this.show()
  },
  go(event: WechatMiniprogram.TouchEvent | WechatMiniprogram.CustomEvent<{ index: number }>) {
    const { index } = { ...event.currentTarget.dataset, ...event.detail } as { index: number }
    this.session?.go(index)
    this.setData({ sheet: false })
    this.show()
    scrollUp()
  },
  openSheet() { this.setData({ sheet: true }) },
  closeSheet() { this.setData({ sheet: false }) },

  async openNext() {
    await act(this, async () => {
      await this.session?.openNext()
      this.setData({ saving: '' })
      if (this.here) this.run()
    })
  },

  finish() {
    return this.asked(askToFinish, () => void this.session?.handIn())
  },
  goAway() {
    return this.asked(askToLeave, () => (backKeyFree(), back()))
  },
  /** Shows one confirmation at a time; an answer after leaving the page is ignored. */
  async asked(ask: typeof askToFinish, then: () => void) {
    if (!this.session?.paper || this.asking) return
    this.asking = true
    const agreed = await confirm(ask(this.session.paper, this.data.t))
    this.asking = false
    if (!agreed || !this.here) return
    this.setData({ sheet: false })
    then()
    this.tick()
  },

  leave() {
    if (!this.here) return
    this.away()
    backKeyFree()
    if (this.data.hand === this.data.t.hand_over) say(this.data.t.hand_over)
    replace(`/packages/quiz/result/index?id=${this.session?.id ?? ''}`)
  },
})
