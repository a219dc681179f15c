/** Lectures and other activities: by day, city, programme and audience, or by distance. */
import type { Activity } from '../../../api/lectures'
import type { Choice } from '../../../logic/choices'
import { dress, dressed } from '../../../kit/dress'
import { load } from '../../../kit/load'
import { endPull, findPosition, open, say, wire } from '../../../platform/wx'
import type { Position } from '../../../platform/wx'
import { cardOf, dayChoices } from './cards'
import type { Card } from './cards'
import { NONE, choicesFor, filtersOf } from './filters'
import type { Filter, FilterButton } from './filters'
import { PAGE, readNearest, readPage } from './reading'

Page({
  data: {
    ...dressed('lectures'),
    state: 'loading',
    problem: '',
    days: [] as Choice[],
    orders: [] as Choice[],
    filters: [] as FilterButton[],
    day: '',
    order: 'time',
    chosen: NONE,
    labels: {} as Record<string, string>,
    here: null as Position | null,
    cards: [] as Card[],
    next: null as string | null,
    sheet: '' as '' | Filter,
    choices: [] as Choice[],
    heading: '',
  },

  onShow() {
    dress(this, 'lectures')
    const { t } = this.data
    this.setData({ days: dayChoices(wire.now(), t), orders: [{ value: 'time', label: t.by_time }, { value: 'distance', label: t.by_distance }] })
    if (this.data.filters.length === 0) this.setData({ filters: filtersOf(this.data.chosen, {}, t) })
    // Later pages stay as they are when the user comes back from an activity.
    if (this.data.cards.length <= PAGE) void this.read()
  },

  async read() {
    await load(this, async () => {
      const { day, order, chosen, here } = this.data
      const { items, next } = order === 'distance' && here ? await readNearest(chosen, day, here) : await readPage(chosen, day)
      const cards = this.cards(items)
      return { cards, next, state: cards.length > 0 ? 'content' : 'empty' }
    })
  },
  cards(items: Activity[]): Card[] {
    const { t, c, here } = this.data
    return items.map((one) => cardOf(one, wire.now(), here, t, c))
  },

  async onReachBottom() {
    const { next, cards, chosen, day } = this.data
    if (next === null) return
    await load(this, async () => {
      const more = await readPage(chosen, day, next)
      return { cards: [...cards, ...this.cards(more.items)], next: more.next }
    })
  },
  async onPullDownRefresh() {
    await this.read()
    endPull()
  },

  again(changes: Record<string, unknown>) {
    this.setData({ ...changes, state: 'loading' })
    void this.read()
  },
  pickDay(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.again({ day: event.detail.value })
  },
  async pickOrder(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    const order = event.detail.value
    const here = order === 'distance' ? await findPosition() : null
    if (order === 'distance' && !here) return say(this.data.t.no_position)
    this.again({ order, here })
  },
  async openSheet(event: WechatMiniprogram.TouchEvent) {
    const sheet = event.currentTarget.dataset.name as Filter
    const { t } = this.data
    await load(this, async () => {
      const choices = await choicesFor(sheet, t)
      return { sheet, choices, heading: t[sheet], state: this.data.cards.length > 0 ? 'content' : 'empty' }
    })
  },
  picked(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    const { value } = event.detail
    const { sheet, choices, labels, t } = this.data
    if (sheet === '') return
    const chosen = { ...this.data.chosen, [sheet]: value }
    const known = { ...labels, [value]: choices.find((one) => one.value === value)?.label ?? '' }
    this.again({ sheet: '', chosen, labels: known, filters: filtersOf(chosen, known, t) })
  },
  closeSheet() {
    this.setData({ sheet: '' })
  },
  clear() {
    this.again({ chosen: NONE, day: '', filters: filtersOf(NONE, {}, this.data.t) })
  },

  posterFailed(event: WechatMiniprogram.CustomEvent) {
    const lost = event.currentTarget.dataset.id as string
    this.setData({ cards: this.data.cards.map((card) => (card.id === lost ? { ...card, poster: '' } : card)) })
  },
  detail(event: WechatMiniprogram.TouchEvent) {
    open(`/packages/lectures/detail/index?id=${event.currentTarget.dataset.id as string}`)
  },
  onShareAppMessage() {
    return { title: this.data.t.title, path: '/packages/lectures/list/index' }
  },
})
