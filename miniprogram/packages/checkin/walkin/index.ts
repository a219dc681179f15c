/** People who came without a sign-up: admitted while there is room for all of them. */
import { checkin } from '../../../api/index'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { act } from '../../../kit/load'
import { freshKey, say } from '../../../platform/wx'

const MOST = 20
const MOBILE = /^1[3-9]\d{9}$/

Page({
  data: {
    ...dressed('walkin'),
    busy: false,
    ...{ id: '', count: 1, people: '', name: '', phone: '', done: '' },
    /** The idempotency key of the form as it is filled in; a changed form gets another. */
    key: '',
  },

  onLoad({ id = '' }: Record<string, string | undefined>) {
    this.setData({ id })
    this.change({ count: 1 })
  },
  onShow() {
    dress(this, 'walkin')
  },

  change(changes: Record<string, unknown>) {
    this.setData({ ...changes, key: freshKey(), done: '' })
    this.setData({ people: fill(this.data.t.people, { count: this.data.count }) })
  },
  less() {
    this.change({ count: Math.max(1, this.data.count - 1) })
  },
  more() {
    this.change({ count: Math.min(MOST, this.data.count + 1) })
  },
  typeName(event: WechatMiniprogram.Input) {
    this.change({ name: event.detail.value })
  },
  typePhone(event: WechatMiniprogram.Input) {
    this.change({ phone: event.detail.value })
  },

  async send() {
    const { t, id, count, name, phone, key } = this.data
    const bare = phone.replace(/[\s-]/g, '')
    if (bare && !MOBILE.test(bare)) return say(t.phone_wrong)
    await act(this, async () => {
      const wish = { party_size: count, ...(name.trim() ? { name: name.trim() } : {}), ...(bare ? { phone: bare } : {}) }
      await checkin.walkIn(id, wish, key)
      this.change({ count: 1, name: '', phone: '' })
      this.setData({ done: fill(t.done, { count }) })
    })
  },
})
