/** The paper: one question at a time, a clock that follows the server, answers saved as they come. */
import { isOver, timeLeft, unanswered } from '../../../logic/attempt'
import { clockFace, urgency } from '../../../logic/countdown'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { confirm, replace, scrollUp, wire } from '../../../platform/wx'
import { Desk } from './desk'
import { shownOf } from './shown'
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

  onLoad(query: Record<string, string | undefined>) {
    this.desk = new Desk(query.id ?? '', (saving) => this.setData({ saving: this.data.t[saving] }))
  },
  /** Coming back reads the paper again: the time left is the server's, not this phone's. */
  onShow() {
    dress(this, 'answer')
    void this.read()
  },
  onHide() {
    clearInterval(this.ticking)
  },
  onUnload() {
    clearInterval(this.ticking)
  },

  async read() {
    await load(this, async () => {
      const paper = await this.desk?.read()
      if (!paper) return {}
      if (paper.phase === 'closed') this.leave()
      else this.run()
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
    const left = timeLeft(paper, now)
    const face = clockFace(left)
    if (face !== this.data.face) this.setData({ face, urgency: urgency(left) })
    if (isOver(paper, now) && paper.phase === 'open') void this.handIn()
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
      this.show()
    })
  },

  async finish() {
    if (!this.desk?.paper) return
    const { t } = this.data
    const missing = unanswered(this.desk.paper)
    const content = missing > 0 ? fill(t.some_missing, { count: missing }) : t.all_answered
    if (await confirm({ title: t.finish, content, yes: t.finish, no: t.go_on })) await this.handIn()
  },

  async handIn() {
    await act(this, async () => {
      await this.desk?.handIn()
      this.leave()
    })
  },

  leave() {
    clearInterval(this.ticking)
    replace(`/packages/quiz/result/index?id=${this.desk?.id ?? ''}`)
  },
})
