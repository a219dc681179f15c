/** Selecting the user's unit: units of the same city first, or a search by name. */
import { accounts, programme, units } from '../../../api/index'
import type { Unit } from '../../../api/shapes'
import type { UnitRequest } from '../../../api/units'
import { mustAgree } from '../../../kit/consent'
import { phoneOf } from '../../../logic/contact'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { back, freshKey, open, say } from '../../../platform/wx'

interface ShownRequest {
  id: string
  name: string
  said: string
  sentence: string
}

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
    county: null as string | null,
    place: '',
    wanted: '',
    about: '',
    request_label: '',
    key: '',
    sent: false,
    requests: [] as ShownRequest[],
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
      const [me, campaign, { items }] = await Promise.all([accounts.me(), programme.campaign(), units.requests()])
      const { city, county, unit } = me
      const phone = phoneOf(campaign)
      const place = me.county_name ?? me.city_name ?? ''
      const requests = items.map((one) => this.shown(one))
      this.setData({ city, county, mine: unit, place, requests, ask: phone ? fill(this.data.t.ask, { phone }) : '' })
      return this.find()
    })
  },

  async find() {
    const q = this.data.q.trim()
    // A search covers the whole region, because units of the whole region belong to no city.
    const region = q === '' ? (this.data.city ?? undefined) : undefined
    const about = fill(this.data.t.request_about, { place: this.data.place })
    return { searched: q !== '', wanted: q, sent: false, key: freshKey(), about, request_label: fill(this.data.t.request, { name: q }), found: (await units.find(region, q || undefined)).items }
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
  profile: () => open('/packages/mine/profile/index'),

  shown({ id, name, state, unit_name, sentence }: UnitRequest): ShownRequest {
    const { t } = this.data
    const words: Record<string, string> = {
      waiting: t.request_waiting,
      created: fill(t.request_created, { unit: unit_name ?? name }),
      pointed: fill(t.request_pointed, { unit: unit_name ?? name }),
      refused: t.request_refused,
    }
    return { id, name, said: words[state] ?? state, sentence: sentence ?? '' }
  },

  /** Asks the organizers for the unit that was searched for. */
  async request() {
    const { wanted, city, county, key } = this.data
    if (city === null) return
    await act(this, async () => {
      const made = this.shown(await units.request({ name: wanted, city, county }, key))
      const others = this.data.requests.filter((one) => one.id !== made.id)
      this.setData({ sent: true, requests: [made, ...others] })
      say(this.data.t.request_sent)
    })
  },

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
