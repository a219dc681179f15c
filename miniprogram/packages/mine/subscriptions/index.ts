/** Subscription settings: quiet hours, and the remaining push grants. */
import { accounts, notices, programme } from '../../../api/index'
import type { Profile, ProfileChange, Subscriptions, Template } from '../../../api/shapes'
import { QUIET_FROM, QUIET_TO } from '../../../logic/choices'
import type { Choice } from '../../../logic/choices'
import { fill } from '../../../logic/fill'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { act, inTurn, load } from '../../../kit/load'
import { askToSubscribe, say } from '../../../platform/wx'

interface Kind {
  id: string
  title: string
  left: string
}

const asChoices = (hours: string[]): Choice[] => hours.map((value) => ({ value, label: value }))

Page({
  data: {
    ...dressed('subscriptions'),
    state: 'loading',
    problem: '',
    busy: false,
    profile: null as Profile | null,
    templates: [] as Template[],
    kinds: [] as Kind[],
    quiet: '',
    sheet: '' as '' | 'quiet_from' | 'quiet_to',
    choices: [] as Choice[],
  },

  onShow() {
    dress(this, 'subscriptions')
    void this.read()
  },

  async read() {
    await load(this, async () => {
      await mustAgree()
      const [profile, { subscribe_templates: templates }, left] = await Promise.all([
        accounts.me(),
        programme.campaign(),
        notices.remaining(),
      ])
      this.setData({ templates })
      return { ...this.shown(profile), kinds: this.kinds(left) }
    })
  },

  kinds({ remaining }: Subscriptions): Kind[] {
    const { t, templates } = this.data
    const left = (id: string) => fill(t.left, { count: remaining[id] ?? 0 })
    return templates.map(({ id, title }) => ({ id, title, left: left(id) }))
  },

  shown(profile: Profile) {
    const { t } = this.data
    const { quiet_from: from, quiet_to: to } = profile
    return { profile, quiet: from && to ? fill(t.quiet_hours, { from, to }) : t.quiet_none }
  },

  async change(changes: ProfileChange): Promise<boolean> {
    return act(this, async () => {
      this.setData(this.shown(await accounts.change(changes)))
      say(this.data.t.saved)
    })
  },

  /**
   * WeChat opens its sheet only inside the tap handler; the grants it returns must never be lost.
   */
  subscribe(event: WechatMiniprogram.TouchEvent) {
    const asked = askToSubscribe([event.currentTarget.dataset.id as string])
    void inTurn(this, async () => {
      const results = await asked
      if (Object.keys(results).length === 0) return say(this.data.t.not_asked)
      this.setData({ kinds: this.kinds(await notices.subscribed(results)) })
    })
  },

  quietFrom() {
    this.setData({ sheet: 'quiet_from', choices: asChoices(QUIET_FROM) })
  },
  async picked(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    const { value } = event.detail
    if (this.data.sheet === 'quiet_from') {
      const done = await this.change({ quiet_from: value, quiet_to: this.data.profile?.quiet_to ?? '07:00' })
      this.setData(done ? { sheet: 'quiet_to', choices: asChoices(QUIET_TO) } : { sheet: '' })
    } else {
      this.closeSheet()
      await this.change({ quiet_to: value })
    }
  },
  closeSheet() {
    this.setData({ sheet: '' })
  },
  async noQuiet() {
    await this.change({ quiet_from: null, quiet_to: null })
  },
})
