/** The grants of this phone: one is redeemed by scanning the organizer's code. */
import { checkin } from '../../../api/index'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { Problem } from '../../../api/problem'
import { act } from '../../../kit/load'
import { confirm, open, say, scanCode, wire } from '../../../platform/wx'
import { grantCodeOf } from '../codes'
import { dropGate, keepGrant, readGrants, readScans, takeGrants } from '../keep'
import { unsentOf } from '../scans'

interface Row {
  id: string
  title: string
  gate: string
  say: string
  unsent: string
  over: boolean
  /** Whether it can be removed without losing scans. */
  done: boolean
}

/** Makes a call; null when the server did not answer. */
function refused(why: unknown): null {
  if (!(why instanceof Problem)) throw why
  return null
}

Page({
  data: { ...dressed('gates'), busy: false, rows: [] as Row[] },

  onShow() {
    dress(this, 'gates')
    this.show()
    void this.sync()
  },

  /**
   * Takes over the grants that the server knows, so that a phone whose storage was emptied has them
   * again. Without an answer the copies on this phone stay.
   */
  async sync() {
    const valid = await checkin.grants().then(({ items }) => items, (why: unknown) => refused(why))
    if (!valid) return
    takeGrants(valid)
    this.show()
  },

  show() {
    const { t } = this.data
    const now = wire.now()
    const rows = readGrants().map(({ session, gate, expires_at: until, ended }): Row => {
      const over = ended || now >= Date.parse(until)
      const count = unsentOf(readScans(session.id)).length
      const said = over ? t.ended : fill(t.until, { time: sayInstant(until, now) })
      const unsent = count > 0 ? fill(t.unsent, { count }) : ''
      return { id: session.id, title: session.title, gate: fill(t.gate, { gate }), say: said, unsent, over, done: over && count === 0 }
    })
    this.setData({ rows })
  },

  async scan() {
    const { t, busy } = this.data
    if (busy) return
    const seen = await scanCode()
    if (seen.kind === 'denied') say(t.denied)
    if (seen.kind !== 'read') return
    const code = grantCodeOf(seen.text)
    if (code) await this.redeem(code)
    else say(t.no_grant)
  },
  async redeem(code: string) {
    await act(this, async () => {
      const grant = await checkin.redeem(code)
      keepGrant({ ...grant, ended: false })
      this.show()
      say(this.data.t.redeemed)
      open(`/packages/checkin/scanner/index?id=${grant.session.id}`)
    })
  },

  go(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/checkin/scanner/index?id=${event.currentTarget.dataset.id as string}`)
  },
  look(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/checkin/scans/index?id=${event.currentTarget.dataset.id as string}`)
  },
  async drop(event: WechatMiniprogram.TouchEvent) {
    const { t } = this.data
    const yes = await confirm({ title: t.drop, content: t.drop_ask, yes: t.drop_yes, no: t.drop_no, danger: true })
    if (!yes) return
    dropGate(event.currentTarget.dataset.id as string)
    this.show()
  },
})
