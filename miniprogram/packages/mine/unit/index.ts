/** Selecting the user's unit: units of the same city first, or a search by name. */
import { accounts, programme, units } from '../../../api/index'
import type { Unit } from '../../../api/shapes'
import { mustAgree } from '../../../kit/consent'
import { phoneOf } from '../../../logic/contact'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { back } from '../../../platform/wx'

Page({
  data: {
    ...dressed('unit'),
    state: 'loading',
    problem: '',
    busy: false,
    q: '',
    city: null as string | null,
    mine: null as string | null,
    searched: false,
    found: [] as Unit[],
    ask: '',
  },

  onLoad() {
    void this.arrive()
  },
  onShow() {
    dress(this, 'unit')
    if (this.data.state === 'consent') void this.arrive()
  },

  async arrive() {
    await load(this, async () => {
      await mustAgree()
      const [{ city, unit }, campaign] = await Promise.all([accounts.me(), programme.campaign()])
      const phone = phoneOf(campaign)
      this.setData({ city, mine: unit, ask: phone ? fill(this.data.t.ask, { phone }) : '' })
      return this.find()
    })
  },

  async find() {
    const q = this.data.q.trim()
    // A search covers the whole region, because units of the whole region belong to no city.
    const region = q === '' ? (this.data.city ?? undefined) : undefined
    return { searched: q !== '', found: (await units.find(region, q || undefined)).items }
  },

  typed(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ q: event.detail.value })
  },
  async search() {
    await load(this, () => this.find())
  },

  /** Shows the whole list again after a search without results. */
  async near() {
    this.setData({ q: '' })
    await this.search()
  },
  leave: () => back(),

  async pick(event: WechatMiniprogram.TouchEvent) {
    await this.join(event.currentTarget.dataset.id as string)
  },
  async none() {
    await this.join(null)
  },
  async join(unit: string | null) {
    await act(this, async () => {
      await accounts.change({ unit })
      back()
    })
  },
})
