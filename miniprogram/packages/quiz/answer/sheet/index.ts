/**
 * The question overview: which questions are answered, with links to each, to submit and to leave.
 */
Component({
  properties: {
    visible: { type: Boolean, value: false },
    /** Each `{index, number, done, here}`. */
    dots: { type: Array, value: [] },
    done: { type: String, value: '' },
    /** The texts of the paper page. */
    t: { type: Object, value: {} },
    closeWord: { type: String, value: '' },
  },
  methods: {
    go(event: WechatMiniprogram.TouchEvent) {
      this.triggerEvent('go', { index: event.currentTarget.dataset.index as number })
    },
    finish() {
      this.triggerEvent('finish')
    },
    leave() {
      this.triggerEvent('leave')
    },
    close() {
      this.triggerEvent('close')
    },
    changed(event: WechatMiniprogram.CustomEvent<{ visible: boolean }>) {
      if (!event.detail.visible) this.close()
    },
  },
})
