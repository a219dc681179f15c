/** The card with the user's result; sharing it is optional and earns nothing. */
import { shares } from '../../../api/index'
import type { Share } from '../../../api/shapes'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { load } from '../../../kit/load'
import { freshKey, offerGroupShare, preview } from '../../../platform/wx'

Page({
  data: {
    ...dressed('share'),
    state: 'loading',
    problem: '',
    id: '',
    key: '',
    share: null as Share | null,
    poster: '',
  },

  onLoad(query: Record<string, string | undefined>) {
    this.setData({ id: query.id ?? '', key: freshKey() })
    offerGroupShare()
    void this.read()
  },
  onShow() {
    dress(this, 'share')
    if (this.data.state === 'consent') void this.read()
  },

  async read() {
    await load(this, async () => {
      await mustAgree()
      const share = await shares.share(this.data.id, this.data.key)
      return { share, poster: share.image_url }
    })
  },

  look() {
    preview(this.data.poster)
  },

  onShareAppMessage() {
    const { share, t } = this.data
    const path = `/${(share?.path ?? 'pages/home/index').replace(/^\//, '')}`
    // Without an image WeChat would use a cropped screenshot of the page.
    return { title: share?.title ?? t.title, path, ...(share && { imageUrl: share.card_url }) }
  },
})
