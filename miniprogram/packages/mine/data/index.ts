/** The reader's own data: everything that is held can be seen, copied, and erased for good. */
import { accounts } from '../../../api/index'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { forgetConsent } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { act } from '../../../kit/load'
import { confirm, copy, forgetEverything, freshKey, restart, say } from '../../../platform/wx'

/** More than this is copied, not drawn. */
const SHOWN = 20_000

Page({
  data: { ...dressed('data'), busy: false, held: '', whole: '', at: '', key: '' },

  onLoad() {
    this.setData({ key: freshKey() })
  },
  onShow() {
    dress(this, 'data')
  },

  async see() {
    await act(this, async () => {
      const { held, exported_at } = await accounts.held()
      const whole = JSON.stringify(held, null, 2)
      this.setData({
        whole,
        held: whole.slice(0, SHOWN),
        at: fill(this.data.t.as_of, { time: sayInstant(exported_at) }),
      })
    })
  },

  async copyAll() {
    await copy(this.data.whole)
    say(this.data.t.copied)
  },

  /** Asked twice: it cannot be taken back. */
  async erase() {
    const { t, c, key } = this.data
    const first = { title: t.erase, content: t.erase_what, yes: t.go_on, no: c.cancel }
    if (!(await confirm(first))) return
    const second = { title: t.erase_sure, content: t.erase_final, yes: t.erase_yes, no: c.cancel }
    if (!(await confirm(second))) return
    await act(this, async () => {
      await accounts.erase(key)
      forgetEverything()
      forgetConsent()
      say(t.erased)
      restart('/pages/home/index')
    })
  },
})
