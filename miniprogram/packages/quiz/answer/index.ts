/** The paper: one question at a time, a clock that follows the server, answers saved as they come. */
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { confirm, replace, scrollUp, wire } from '../../../platform/wx'
import { Desk } from './desk'
import type { Heard } from './desk'
import { askToFinish, clockOf, shownOf } from './shown'
import type { Shown } from './shown'

const TICK_MS = 500

Page({
  data: {
    ...dressed('answer'),
    state: 'loading',
    problem: '',
    busy: false,
    face: '',
    urgency: 'calm',
    shown: null as Shown | null,
    saving: '',
  },
  ticking: 0,
  desk: null as Desk | null,
  /** This page is the one on the screen: only then it may count, and go on to another. */
  here: false,
  asking: false,

  onLoad(query: Record<string, string | undefined>) {
    this.desk = new Desk(query.id ?? '', (heard) => this.heard(heard))
  },
  /** Coming back reads the paper again: the time left is the server's, not this phone's. */
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
      const paper = await this.desk?.read()
      if (paper?.phase === 'closed') this.leave()
      else if (paper && this.here) this.run()
      return {}
    })
  },

  run() {
    this.show()
    clearInterval(this.ticking)
    this.ticking = setInterval(() => this.tick(), TICK_MS)
    this.tick()
    void this.desk?.save()
  },

  tick() {
    const paper = this.desk?.paper
    if (!paper) return
    const now = wire.now()
    const clock = clockOf(paper, now, this.data.t)
    if (clock.face !== this.data.face) this.setData(clock)
    if (this.desk?.isDue(now)) void this.handIn()
    this.desk?.saveAgain(now)
  },

  heard(heard: Heard) {
    if (heard === 'closed') this.leave()
    else this.setData({ saving: this.data.t[heard] })
  },

  show() {
    if (this.desk?.paper) this.setData({ shown: shownOf(this.desk.paper, this.data.t) })
  },

  pick(event: WechatMiniprogram.CustomEvent<{ key: string }>) {
    this.desk?.choose(event.detail.key)
    this.show()
  },

  go(event: WechatMiniprogram.TouchEvent) {
    this.desk?.go(Number(event.currentTarget.dataset.index))
    this.show()
    scrollUp()
  },

  async openNext() {
    await act(this, async () => {
      await this.desk?.openNext()
      this.setData({ saving: '' })
      if (this.here) this.run()
    })
  },

  async finish() {
    if (!this.desk?.paper || this.asking) return
    this.asking = true
    const agreed = await confirm(askToFinish(this.desk.paper, this.data.t))
    this.asking = false
    if (agreed && this.here) await this.handIn()
  },

  async handIn() {
    await act(this, async () => {
      await this.desk?.handIn()
      this.leave()
    })
  },

  leave() {
    if (!this.here) return
    this.away()
    replace(`/packages/quiz/result/index?id=${this.desk?.id ?? ''}`)
  },
})
