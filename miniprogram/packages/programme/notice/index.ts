/** The announcement or activity that a channel's code leads to; an activity opens its own page. */
import { programme } from '../../../api/index'
import type { Publication } from '../../../api/letters'
import { decoded, openedFrom } from '../../../kit/entry'
import { sayInstant } from '../../../logic/dates'
import { dress, dressed } from '../../../kit/dress'
import { load } from '../../../kit/load'
import { open, preview, replace, wire } from '../../../platform/wx'

Page({
  data: {
    ...dressed('notice'),
    state: 'loading',
    problem: '',
    code: '',
    shown: null as Publication | null,
    at: '',
    /** The address of the picture; empty without one, or when it does not come. */
    picture: '',
  },

  onLoad(query: Record<string, string | undefined>) {
    dress(this, 'notice')
    this.setData({ code: decoded(query.scene ?? '') })
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const shown = await programme.publication(this.data.code)
      if (shown.target === 'activity' && shown.page) {
        replace(`/${shown.page}`)
        return { state: 'loading' }
      }
      return { shown, at: sayInstant(shown.published_at, wire.now()), picture: shown.picture_url ?? '' }
    })
  },

  enlarge() {
    preview(this.data.picture)
  },
  pictureFailed() {
    this.setData({ picture: '' })
  },
  follow() {
    const page = this.data.shown?.page
    if (!page) return
    openedFrom(page)
    open(`/${page}`)
  },

  onShareAppMessage() {
    const { shown, code, t } = this.data
    return { title: shown?.title ?? t.title, path: `/packages/programme/notice/index?scene=${code}` }
  },
})
