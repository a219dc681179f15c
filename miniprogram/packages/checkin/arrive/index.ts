/** The user's own check-in: the venue's code is scanned with the camera. */
import { checkin } from '../../../api/index'
import { OFFLINE, Problem } from '../../../api/problem'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { CONSENT_REQUIRED } from '../../../kit/consent'
import { act, sentence } from '../../../kit/load'
import { open, say, scanCode, wire } from '../../../platform/wx'
import { venueCodeOf } from '../codes'
import { signal } from '../signal'

interface Shown {
  done: boolean
  mark: string
  word: string
  title: string
  about: string
  /** The reason for a failure, and the next step. */
  why: string
}

Page({
  data: { ...dressed('arrive'), busy: false, checking: false, shown: null as Shown | null, id: '' },

  onShow() {
    dress(this, 'arrive')
  },

  async scan() {
    const { t, busy } = this.data
    if (busy) return
    const seen = await scanCode()
    if (seen.kind === 'denied') say(t.denied)
    if (seen.kind !== 'read') return
    const code = venueCodeOf(seen.text)
    if (code) await this.arrive(code)
    else this.tell({ done: false, word: t.not_done, why: t.wrong_code })
  },

  /** Asks for a missing consent and continues the check-in; shows every other refusal. */
  async arrive(code: string) {
    const { t } = this.data
    this.setData({ shown: null, checking: true })
    await act(this, async () => {
      try {
        const { result, at, activity, people: party } = await checkin.arrive(code)
        const about = [sayInstant(at, wire.now()), ...(party > 1 ? [fill(t.people, { count: party })] : [])].join('，')
        this.setData({ id: activity.id })
        this.tell({ done: true, word: result === 'ok' ? t.ok : t.already, title: activity.title, about })
      } catch (why) {
        if (!(why instanceof Problem) || why.code === CONSENT_REQUIRED) throw why
        this.tell({ done: false, word: t.not_done, why: why.code === OFFLINE ? t.offline : sentence(why) })
      }
    })
    this.setData({ checking: false })
  },
  tell(shown: Partial<Shown> & { done: boolean; word: string }) {
    this.setData({ shown: { mark: shown.done ? '✓' : '!', title: '', about: '', why: '', ...shown } })
    signal(shown.done)
  },

  certificate() {
    open(`/packages/mine/certificates/index?source=${this.data.id}`)
  },
  ticket: () => open('/packages/lectures/ticket/index'),
  detail() {
    open(`/packages/lectures/detail/index?id=${this.data.id}`)
  },
})
