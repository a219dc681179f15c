/** Subscription centre: announcements and topics, city, quiet hours, and the remaining push grants. */
import { accounts, notices, programme, units } from '../../../api/index'
import type { City, Profile, ProfileChange, Template, Topic } from '../../../api/shapes'
import type { Choice } from '../../../logic/choices'
import { afterChoosingAll, afterToggle } from '../../../logic/topics'
import type { TopicRow } from '../../../logic/topics'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { lackOf, sayLack } from '../../../kit/grants'
import { inTurn, load } from '../../../kit/load'
import { askToSubscribe, say } from '../../../platform/wx'
import { changeOf, grantsShown, profileShown, sheetShown } from './shown'
import type { Kind, Sheet } from './shown'

type Switched = WechatMiniprogram.CustomEvent<{ value: boolean }>

Page({
  data: {
    ...dressed('subscriptions'),
    ...{ state: 'loading', problem: '', busy: false },
    profile: null as Profile | null,
    topics: [] as Topic[],
    rows: [] as TopicRow[],
    chosen: false,
    cities: [] as City[],
    city: '',
    templates: [] as Template[],
    kinds: [] as Kind[],
    together: [] as string[],
    togetherWords: '',
    quiet: '',
    sheet: '' as '' | Sheet,
    heading: '',
    ...{ choices: [] as Choice[], picked: '' },
  },

  onShow() {
    dress(this, 'subscriptions')
    void this.read()
  },

  async read() {
    await load(this, async () => {
      await mustAgree()
      const [profile, { topics, subscribe_templates: templates }, { items: cities }, left] = await Promise.all([
        accounts.me(),
        programme.campaign(),
        units.cities(),
        notices.remaining(),
      ])
      const { t } = this.data
      return { topics, cities, templates, ...profileShown(profile, topics, t), ...grantsShown(templates, left, t) }
    })
  },

  /** Saves each change immediately; a change during another save is queued, not lost. */
  change(changes: (now: Profile) => ProfileChange): Promise<boolean> {
    return inTurn(this, async () => {
      const { profile, topics, t } = this.data
      if (profile === null) return
      this.setData(profileShown(await accounts.change(changes(profile)), topics, t))
      say(t.saved)
    })
  },

  async announcements(event: Switched) {
    await this.change(() => ({ announcements_off: !event.detail.value }))
  },
  async topic(event: Switched) {
    const { slug } = event.currentTarget.dataset as { slug: string }
    await this.change((now) => afterToggle(this.data.topics, now, slug, event.detail.value))
  },
  async account(event: Switched) {
    await this.change((now) => afterChoosingAll(this.data.topics, now, event.detail.value))
  },

  subscribe(event: WechatMiniprogram.TouchEvent) {
    this.ask([event.currentTarget.dataset.id as string])
  },
  subscribeTogether() {
    this.ask(this.data.together)
  },
  /** WeChat opens its sheet only inside the tap handler; the grants it returns must never be lost. */
  ask(ids: string[]) {
    const asked = askToSubscribe(ids)
    void inTurn(this, async () => {
      const results = await asked
      const { t, c, templates } = this.data
      const lack = lackOf(results)
      if (Object.keys(results).length > 0) this.setData(grantsShown(templates, await notices.subscribed(results), t))
      if (lack === 'refused') say(t.not_agreed)
      else if (lack === 'off') await sayLack(lack, t.not_asked, c)
    })
  },

  openSheet(sheet: Sheet) {
    this.setData(sheetShown(sheet, this.data.cities, this.data.profile, this.data.t))
  },
  pickCity() {
    this.openSheet('city')
  },
  quietFrom() {
    this.openSheet('quiet_from')
  },
  async pick(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    const { sheet } = this.data
    if (sheet === '') return
    if (sheet !== 'quiet_from') this.closeSheet()
    const done = await this.change((now) => changeOf(sheet, event.detail.value, now))
    if (sheet !== 'quiet_from') return
    if (done) this.openSheet('quiet_to')
    else this.closeSheet()
  },
  closeSheet() {
    this.setData({ sheet: '' })
  },
  async noQuiet() {
    await this.change(() => ({ quiet_from: null, quiet_to: null }))
  },
})
