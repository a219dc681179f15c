/** The profile: name, picture, phone, region, unit, audience, and the name on boards. */
import { accounts, units } from '../../../api/index'
import type { Audience, City, Profile, ProfileChange } from '../../../api/shapes'
import { AUDIENCES } from '../../../logic/choices'
import type { Choice } from '../../../logic/choices'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { inTurn, load } from '../../../kit/load'
import { open, say } from '../../../platform/wx'
import { nameOf, placesOrNone, shownOf } from './shown'

Page({
  data: {
    ...dressed('profile'),
    state: 'loading',
    problem: '',
    busy: false,
    profile: null as Profile | null,
    name: '',
    cities: [] as City[],
    city: '',
    county: '',
    phone: '',
    avatarNote: '',
    audiences: [] as Choice[],
    sheet: '' as '' | 'city' | 'county',
    choices: [] as Choice[],
    chosen: '',
  },

  onShow() {
    dress(this, 'profile')
    void this.read()
  },

  async read() {
    await load(this, async () => {
      await mustAgree()
      const [profile, cities] = await Promise.all([accounts.me(), units.cities()])
      const { t } = this.data
      const audiences = AUDIENCES.map((value) => ({ value, label: t[value] }))
      this.setData({ cities: cities.items, audiences })
      return this.shown(profile)
    })
  },

  shown(profile: Profile) {
    return shownOf(profile, this.data.cities, this.data.t)
  },

  /** Saves each change immediately; a change during another save is queued, not lost. */
  change(changes: ProfileChange): Promise<boolean> {
    return inTurn(this, async () => {
      this.setData(this.shown(await accounts.change(changes)))
      say(this.data.t.saved)
    })
  },

  /** Saves the name; a refused one is replaced by the current one. */
  async saveName(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    const { value: name } = event.detail
    const known = this.data.profile ? nameOf(this.data.profile) : ''
    this.setData({ name })
    if (name === '') say(this.data.t.name_first)
    const saved = name !== '' && (await this.change({ nickname: name }))
    if (!saved) this.setData({ name: known })
  },
  async avatar(event: WechatMiniprogram.CustomEvent<{ avatarUrl: string }>) {
    await inTurn(this, async () => {
      await accounts.sendAvatar(event.detail.avatarUrl)
      say(this.data.t.avatar_checking)
      this.setData(this.shown(await accounts.me()))
    })
  },
  async givePhone(event: WechatMiniprogram.CustomEvent<{ code?: string }>) {
    const { code } = event.detail
    if (!code) return
    await inTurn(this, async () => this.setData({ phone: (await accounts.givePhone(code)).phone_masked }))
  },

  async takePhoneBack() {
    await this.change({ phone: null })
  },
  pickCity() {
    this.openSheet('city', null, this.data.profile?.city)
  },
  pickCounty() {
    const { profile, t } = this.data
    if (!profile?.city) return say(t.city_first)
    this.openSheet('county', profile.city, profile.county)
  },
  openSheet(sheet: 'city' | 'county', inside: string | null, chosen?: string | null) {
    this.setData({ sheet, choices: placesOrNone(this.data.cities, inside, this.data.t), chosen: chosen ?? '' })
  },
  async picked(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    const value = event.detail.value || null
    const { sheet } = this.data
    this.closeSheet()
    await this.change(sheet === 'city' ? { city: value, county: null } : { county: value })
  },
  closeSheet() {
    this.setData({ sheet: '' })
  },

  unit: () => open('/packages/mine/unit/index'),
  async pickAudience(event: WechatMiniprogram.CustomEvent<{ value: Audience }>) {
    const { value } = event.detail
    await this.change({ audience: value === this.data.profile?.audience ? null : value })
  },
  async publicRank(event: WechatMiniprogram.CustomEvent<{ value: boolean }>) {
    await this.change({ public_rank: event.detail.value })
  },
})
