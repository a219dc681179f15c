/** The sign-up of one activity: party, questions, name and phone. */
import { accounts, lectures } from '../../../api/index'
import type { Activity, Place, SignUpWish } from '../../../api/lectures'
import { Problem } from '../../../api/problem'
import type { Choice } from '../../../logic/choices'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { offerGrants, readOffers, sayLack } from '../../../kit/grants'
import type { Offers } from '../../../kit/grants'
import { act, inTurn, load } from '../../../kit/load'
import { back, confirm, freshKey, say, wire } from '../../../platform/wx'
import type { Asked } from './form'
import { faultOf, isWaiting, shownOf, wishOf } from './form'

const CLASH = 'clashes_with_other_activity'

Page({
  data: {
    ...dressed('signup'),
    ...{ state: 'loading', problem: '', busy: false, id: '' },
    /** The idempotency key of the form as it is filled in; a changed form gets another. */
    key: '',
    activity: null as Activity | null,
    time: '',
    ...{ open: true, lottery: '', wait: false },
    parties: [] as Choice[],
    questions: [] as Asked[],
    offers: { seated: [], waiting: [], left: {} } as Offers,
    ...{ party: 1, name: '', phone: '', knownPhone: '' },
    answers: {} as Record<string, string>,
  },

  onLoad(query: Record<string, string | undefined>) {
    this.setData({ id: query.id ?? '' })
  },
  onShow() {
    dress(this, 'signup')
    if (this.data.state !== 'content') void this.read()
  },

  async read() {
    await load(this, async () => {
      await mustAgree()
      const [one, profile, offers] = await Promise.all([lectures.one(this.data.id), accounts.me(), readOffers()])
      const shown = shownOf(one, wire.now(), this.data.t)
      const wait = isWaiting(shown.activity, this.data.party)
      return { ...shown, wait, offers, key: freshKey(), knownPhone: profile.phone_masked ?? '', state: shown.open ? 'content' : 'empty' }
    })
  },

  change(changes: Record<string, unknown>) {
    this.setData({ ...changes, key: freshKey() })
  },
  pickParty(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    const party = Number(event.detail.value)
    this.change({ party, wait: this.data.activity !== null && isWaiting(this.data.activity, party) })
  },
  typeName(event: WechatMiniprogram.Input) {
    this.change({ name: event.detail.value })
  },
  typePhone(event: WechatMiniprogram.Input) {
    this.change({ phone: event.detail.value })
  },
  typeAnswer(event: WechatMiniprogram.Input) {
    const { key } = event.currentTarget.dataset as { key: string }
    this.change({ answers: { ...this.data.answers, [key]: event.detail.value } })
  },
  pickAnswer(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    const { key } = event.currentTarget.dataset as { key: string }
    const { value } = event.detail
    this.change({ answers: { ...this.data.answers, [key]: value === this.data.answers[key] ? '' : value } })
  },
  async givePhone(event: WechatMiniprogram.CustomEvent<{ code?: string }>) {
    const { code } = event.detail
    if (!code) return
    await inTurn(this, async () => this.change({ knownPhone: (await accounts.givePhone(code)).phone_masked, phone: '' }))
  },

  /**
   * Opens the subscription sheet inside the tap handler, as WeChat requires. Its answers are sent before the
   * sign-up, because the server uses the grants when it confirms a seat.
   */
  send() {
    const { activity, knownPhone, offers, lottery, wait, busy, t, c } = this.data
    if (!activity || busy) return
    const fault = faultOf(activity, this.data, knownPhone, t)
    if (fault) return say(fault)
    const grants = offerGrants(wait || lottery ? offers.waiting : offers.seated, offers.left)
    void act(this, async () => {
      const { lack, trouble } = await grants
      const place = await this.signUp(wishOf(activity, this.data))
      if (!place) return
      await back()
      if (!trouble) return sayLack(lack, this.saidOf(place), c)
      say(this.saidOf(place))
      throw trouble
    })
  },

  /** Sends the sign-up; null when the user keeps another activity at the same time. */
  async signUp(wish: SignUpWish): Promise<Place | null> {
    const { id, key, t } = this.data
    try {
      return await lectures.signUp(id, wish, key)
    } catch (why) {
      const other = why instanceof Problem && why.code === CLASH ? why.facts.activity : undefined
      if (typeof other !== 'string') throw why
      const content = (why as Problem).detail
      const yes = await confirm({ title: t.clash, content, yes: t.clash_yes, no: t.clash_no })
      return yes ? lectures.signUp(id, { ...wish, instead_of: other }, freshKey()) : null
    }
  },
  saidOf({ status }: Place): string {
    const { t } = this.data
    const said = { confirmed: t.confirmed, waitlisted: t.waitlisted, offered: t.offered, entered: t.entered } as Record<string, string>
    return said[status] ?? ''
  },
  leave: () => void back(),
})
