/** Feedback about an activity, by those who were there, once. */
import { lectures } from '../../../api/index'
import type { Feedback } from '../../../api/lectures'
import type { Choice } from '../../../logic/choices'
import { fill } from '../../../logic/fill'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { back, freshKey, say } from '../../../platform/wx'

Page({
  data: {
    ...dressed('feedback'),
    state: 'loading',
    problem: '',
    busy: false,
    ...{ id: '', title: '', rating: '', text: '' },
    /** The idempotency key of the form as it is filled in; a changed form gets another. */
    key: '',
    ratings: [] as Choice[],
    /** What was said before; empty before that. */
    ...{ given: '', words: '' },
  },

  onLoad({ id = '' }: Record<string, string | undefined>) {
    this.setData({ id })
  },
  onShow() {
    dress(this, 'feedback')
    if (this.data.state !== 'content') void this.read()
  },
  async read() {
    await load(this, async () => {
      await mustAgree()
      const { id } = this.data
      const [{ title }, { open, given }] = await Promise.all([lectures.one(id), lectures.feedback(id)])
      const { t } = this.data
      const labels = [t.five, t.four, t.three, t.two, t.one]
      const ratings = labels.map((label, at): Choice => ({ value: String(labels.length - at), label }))
      this.setData({ title, ratings, key: freshKey() })
      return { state: open || given ? 'content' : 'empty', ...this.shownOf(given) }
    })
  },
  shownOf(given: Feedback | null) {
    const label = this.data.ratings.find(({ value }) => value === String(given?.rating))?.label ?? ''
    return { given: given ? fill(this.data.t.given, { rating: label }) : '', words: given?.text ?? '' }
  },

  rate(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ rating: event.detail.value, key: freshKey() })
  },
  write(event: WechatMiniprogram.Input) {
    this.setData({ text: event.detail.value, key: freshKey() })
  },
  async send() {
    const { t, id, rating, text, key } = this.data
    if (rating === '') return say(t.rate_first)
    await act(this, async () => {
      this.setData(this.shownOf(await lectures.giveFeedback(id, { rating: Number(rating), text: text.trim() }, key)))
      say(t.thanks)
    })
  },
  leave: () => void back(),
})
