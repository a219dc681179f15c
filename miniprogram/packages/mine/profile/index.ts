/** The profile: name, picture, phone, place, unit, group of the public, and how one is named on boards. */
import { accounts, units } from '../../../api/index'
import type { Audience, City, Profile, ProfileChange } from '../../../api/shapes'
import { AUDIENCES } from '../../../logic/choices'
import type { Choice } from '../../../logic/choices'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { open, say } from '../../../platform/wx'
import { choicesOf, nameOf } from './places'

Page({
  data: {
    ...dressed('profile'),
    state: 'loading',
    problem: '',
    busy: false,
    profile: null as Profile | null,
    cities: [] as City[],
    city: '',
    county: '',
    phone: '',
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
    const { cities, t } = this.data
    return {
      profile,
      city: nameOf(cities, profile.city) || t.choose,
      county: nameOf(cities, profile.county) || t.choose,
      phone: profile.phone_masked ?? t.phone_none,
    }
  },

  async change(changes: ProfileChange) {
    await act(this, async () => {
      this.setData(this.shown(await accounts.change(changes)))
      say(this.data.t.saved)
    })
  },

  /** WeChat blanks a name that it refuses, so it is read when the form is sent. */
  async saveName(event: WechatMiniprogram.FormSubmit) {
    const nickname = String(event.detail.value.nickname ?? '').trim()
    if (nickname === '') return say(this.data.t.name_first)
    await this.change({ nickname })
  },
  async avatar(event: WechatMiniprogram.CustomEvent<{ avatarUrl: string }>) {
    await act(this, async () => {
      await accounts.sendAvatar(event.detail.avatarUrl)
      say(this.data.t.avatar_checking)
    })
  },
  async givePhone(event: WechatMiniprogram.CustomEvent<{ code?: string }>) {
    const { code } = event.detail
    if (!code) return
    await act(this, async () => this.setData({ phone: (await accounts.givePhone(code)).phone_masked }))
  },

  pickCity() {
    const { cities, profile } = this.data
    this.setData({ sheet: 'city', choices: choicesOf(cities, null), chosen: profile?.city ?? '' })
  },
  pickCounty() {
    const { cities, profile, t } = this.data
    if (!profile?.city) return say(t.city_first)
    this.setData({ sheet: 'county', choices: choicesOf(cities, profile.city), chosen: profile.county ?? '' })
  },
  async picked(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    const { value } = event.detail
    const { sheet } = this.data
    this.closeSheet()
    await this.change(sheet === 'city' ? { city: value, county: null } : { county: value })
  },
  closeSheet() {
    this.setData({ sheet: '' })
  },

  unit() {
    open('/packages/mine/unit/index')
  },
  async pickAudience(event: WechatMiniprogram.CustomEvent<{ value: Audience }>) {
    const { value } = event.detail
    await this.change({ audience: value === this.data.profile?.audience ? null : value })
  },
  async publicRank(event: WechatMiniprogram.CustomEvent<{ value: boolean }>) {
    await this.change({ public_rank: event.detail.value })
  },
})
