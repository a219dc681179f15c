/** One activity: everything about it, and the user's own place with its possible actions. */
import { lectures } from '../../../api/index'
import type { Activity } from '../../../api/lectures'
import { pointOf } from '../../../logic/distance'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { readLater, stopWaiting } from '../../../kit/spread'
import { callNumber, confirm, copy, endPull, freshKey, open, preview, say, showOnMap, wire } from '../../../platform/wx'
import type { Fact } from './shown'
import { shownOf } from './shown'

/** Time after the opening within which all phones read the remaining seats. */
const OPENING_SPREAD_MS = 15_000

Page({
  data: {
    ...dressed('lecture'),
    ...{ state: 'loading', problem: '', busy: false, id: '' },
    activity: null as Activity | null,
    facts: [] as Fact[],
    /** The address of the poster; empty without one, or when it does not come. */
    poster: '',
    ...{ say: '', free: false, hasPoint: false, action: '', opensAt: 0, opensIn: '' },
    ...{ status: '', mine: '', people: '', note: '', endsAt: 0, canLeave: false, arrives: false, rates: false },
  },

  onLoad(query: Record<string, string | undefined>) {
    this.setData({ id: query.id ?? '' })
  },
  onShow() {
    dress(this, 'lecture')
    void this.read()
  },
  onHide() {
    stopWaiting(this)
  },
  onUnload() {
    stopWaiting(this)
  },

  async read() {
    await load(this, async () => {
      const { t, c, id } = this.data
      return shownOf(await lectures.one(id), wire.now(), t, c)
    })
  },
  async onPullDownRefresh() {
    await this.read()
    endPull()
  },

  /** The sign-up begins: the button works at once, and the seats are read a random time later. */
  begin() {
    const { activity, t, c } = this.data
    if (activity) this.setData(shownOf(activity, wire.now(), t, c))
    readLater(this, () => this.read(), OPENING_SPREAD_MS)
  },

  signUp() {
    open(`/packages/lectures/signup/index?id=${this.data.id}`)
  },
  ticket: () => open('/packages/lectures/ticket/index'),
  arrive: () => open('/packages/checkin/arrive/index'),
  rate() {
    open(`/packages/checkin/feedback/index?id=${this.data.id}`)
  },

  async withdraw() {
    const { t } = this.data
    const yes = await confirm({ title: t.withdraw, content: t.withdraw_ask, yes: t.withdraw_yes, no: t.withdraw_no, danger: true })
    if (!yes) return
    const key = freshKey()
    await act(this, async () => {
      await lectures.withdraw(this.data.id, key)
      say(t.withdrawn)
      await this.read()
    })
  },
  accept() {
    void this.answer(true)
  },
  async decline() {
    const { t } = this.data
    const yes = await confirm({ title: t.decline, content: t.decline_ask, yes: t.decline, no: t.withdraw_no, danger: true })
    if (yes) void this.answer(false)
  },
  /** Answers the offer; a late answer is refused, and the page then shows the present state. */
  async answer(accept: boolean) {
    const { t } = this.data
    const key = freshKey()
    await act(this, async () => {
      await lectures.answerOffer(this.data.id, accept, key)
      say(accept ? t.accepted : t.declined)
    })
    await this.read()
  },

  enlarge() {
    preview(this.data.poster)
  },
  posterFailed() {
    this.setData({ poster: '' })
  },
  map() {
    const { activity } = this.data
    const point = activity && pointOf(activity)
    if (point) showOnMap({ ...point, name: activity.venue, address: activity.address })
  },
  call() {
    callNumber(this.data.activity?.office_phone ?? '')
  },
  async copyLink() {
    const { t, activity } = this.data
    say((await copy(activity?.live_link ?? '')) ? t.copied : t.not_copied)
  },

  onShareAppMessage() {
    return { title: this.data.activity?.title ?? this.data.t.title, path: `/packages/lectures/detail/index?id=${this.data.id}` }
  },
})
