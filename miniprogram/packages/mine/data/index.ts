/** The user's own data: view, copy, and erase permanently. */
import { accounts, units } from '../../../api/index'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { forgetConsent } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { act } from '../../../kit/load'
import { confirm, copy, forgetEverything, freshKey, restart, say, shareFile, wire } from '../../../platform/wx'
import { linesOf } from './held'
import type { Line } from './held'

Page({
  data: { ...dressed('data'), busy: false, lines: [] as Line[], at: '', key: '' },

  asking: false,
  /** The raw JSON, too large for setData to render. */
  whole: '',

  onLoad() {
    this.setData({ key: freshKey() })
  },
  onShow() {
    dress(this, 'data')
  },

  async see() {
    await act(this, async () => {
      const [{ held, exported_at }, cities] = await Promise.all([accounts.held(), units.cities()])
      this.whole = JSON.stringify(held, null, 2)
      this.setData({
        lines: linesOf(held, this.data.t, cities.items, wire.now()),
        at: fill(this.data.t.as_of, { time: sayInstant(exported_at, wire.now()) }),
      })
    })
  },

  /** WeChat shares a file only inside the tap handler, so it is written before the first await. */
  async save() {
    const { t } = this.data
    if (!(await shareFile(t.file_name, this.whole))) say(t.not_saved)
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

  /** Asks for confirmation twice, because erasure cannot be undone. */
  async sure(): Promise<boolean> {
    const { t, c } = this.data
    const first = { title: t.erase, content: t.erase_what, yes: t.go_on, no: c.cancel }
    const second = { title: t.erase_sure, content: t.erase_final, yes: t.erase_yes, no: c.cancel, danger: true }
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
