/** One notice in full, with the way to what it is about. */
import { notices } from '../../../api/index'
import { Problem } from '../../../api/problem'
import type { Letter } from '../../../api/shapes'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { openedFrom } from '../../../kit/entry'
import { load } from '../../../kit/load'
import { open, wire } from '../../../platform/wx'

Page({
  data: {
    ...dressed('message'),
    state: 'loading',
    problem: '',
    id: '',
    letter: null as Letter | null,
    at: '',
    reason: '',
  },

  onLoad(query: { id?: string }) {
    this.setData({ id: query.id ?? '' })
  },

  onShow() {
    dress(this, 'message')
    void this.read()
  },

  async read() {
    const { id } = this.data
    await load(this, async () => {
      const letter = await notices.letter(id)
      const { not_pushed_reason: reason, posted_at: posted } = letter
      if (!letter.read) void this.markRead()
      return {
        letter,
        at: sayInstant(posted, wire.now()),
        reason: reason === null ? '' : fill(this.data.t.not_pushed, { reason }),
      }
    })
  },

  /** The mark may fail: the notice then stays marked as new, and is marked the next time. */
  async markRead() {
    try {
      await notices.read(this.data.id)
    } catch (why) {
      if (!(why instanceof Problem)) throw why
    }
  },

  follow() {
    const page = this.data.letter?.page
    if (!page) return
    openedFrom(page)
    open(`/${page}`)
  },
})
