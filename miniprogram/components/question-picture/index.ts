/** The picture of a question: enlarged by a tap, with a way to load it again. */
import { preview } from '../../platform/wx'

Component({
  properties: {
    url: { type: String, value: '' },
    alt: { type: String, value: '' },
    /** The size in pixels, so that the page does not move when the picture arrives. */
    width: { type: Number, value: 1 },
    height: { type: Number, value: 1 },
    /** The texts of section `common`. */
    words: { type: Object, value: {} },
  },
  data: { state: 'loading', src: '', percent: 100, tries: 0 },
  observers: {
    'url, width, height'(url: string, width: number, height: number) {
      if (this.data.src.split('?')[0] === url) return
      const percent = Math.min(100, Math.round((100 * height) / Math.max(1, width)))
      this.setData({ state: 'loading', src: url, percent, tries: 0 })
    },
  },
  methods: {
    loaded() {
      this.setData({ state: 'shown' })
    },
    failed() {
      this.setData({ state: 'failed' })
    },
    enlarge() {
      if (this.data.state === 'shown') preview(this.data.src)
      else if (this.data.state === 'failed') this.again()
    },
    /** Another address, because the same one would not be loaded again. */
    again() {
      const tries = this.data.tries + 1
      this.setData({ state: 'loading', tries, src: `${this.properties.url}?again=${tries}` })
    },
  },
})
