/** The reader's own data: everything that is held can be seen, copied, and erased for good. */
import { accounts } from '../../../api/index'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { forgetConsent } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { act } from '../../../kit/load'
import { confirm, copy, forgetEverything, freshKey, restart, say, wire } from '../../../platform/wx'
import { linesOf } from './held'
import type { Line } from './held'

/** More than this is copied, not drawn. */
const SHOWN = 20_000

Page({
  data: { ...dressed('data'), busy: false, held: '', lines: [] as Line[], at: '', key: '' },

  asking: false,
  /** All of it; too much to hand to the page's picture. */
  whole: '',

  onLoad() {
    this.setData({ key: freshKey() })
  },
  onShow() {
    dress(this, 'data')
  },

  async see() {
    await act(this, async () => {
      const { held, exported_at } = await accounts.held()
      this.whole = JSON.stringify(held, null, 2)
      this.setData({
        held: this.whole.slice(0, SHOWN),
        lines: linesOf(held, this.data.t),
        at: fill(this.data.t.as_of, { time: sayInstant(exported_at, wire.now()) }),
      })
    })
  },

  async copyAll() {
    const { t, c } = this.data
    say((await copy(this.whole)) ? t.copied : c.failed)
  },

  async erase() {
    if (this.asking) return
    this.asking = true
    try {
      if (await this.sure()) await this.eraseNow()
    } finally {
      this.asking = false
    }
  },

  /** Asked twice: it cannot be taken back. */
  async sure(): Promise<boolean> {
    const { t, c } = this.data
    const first = { title: t.erase, content: t.erase_what, yes: t.go_on, no: c.cancel }
    const second = { title: t.erase_sure, content: t.erase_final, yes: t.erase_yes, no: c.cancel }
    return (await confirm(first)) && (await confirm(second))
  },

  async eraseNow() {
    const { t, key } = this.data
    await act(this, async () => {
      await accounts.erase(key)
      forgetEverything()
      forgetConsent()
      say(t.erased)
      restart('/pages/home/index')
    })
  },
})
