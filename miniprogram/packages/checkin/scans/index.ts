/** The scans of this phone: those that the server has, those that are only stored here, and those to check.
 * */
import { dress, dressed } from '../../../kit/dress'
import { settings } from '../../../kit/settings'
import { open, wire } from '../../../platform/wx'
import { words } from '../../../texts/index'
import { readScans } from '../keep'
import type { Row } from './rows'
import { rowsOf } from './rows'

Page({
  data: { ...dressed('scans'), id: '', state: 'loading', rows: [] as Row[], conflicts: [] as Row[] },

  onLoad({ id = '' }: Record<string, string | undefined>) {
    this.setData({ id })
  },
  onShow() {
    dress(this, 'scans')
    const scans = readScans(this.data.id)
    const shown = rowsOf(scans, wire.now(), this.data.t, words(settings().language, 'scanner'))
    this.setData({ ...shown, state: scans.length > 0 ? 'content' : 'empty' })
  },
  find() {
    open(`/packages/checkin/guests/index?id=${this.data.id}`)
  },
})
