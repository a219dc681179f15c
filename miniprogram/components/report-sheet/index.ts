/** A sheet to report a faulty question; the page sends the report. */
Component({
  properties: {
    visible: { type: Boolean, value: false },
    words: { type: Object, value: {} },
    busy: { type: Boolean, value: false },
  },
  data: { reason: '' },
  methods: {
    typed(event: WechatMiniprogram.TextareaInput) {
      this.setData({ reason: event.detail.value })
    },
    send() {
      const reason = this.data.reason.trim()
      if (reason) this.triggerEvent('send', { reason })
    },
    close() {
      this.triggerEvent('close')
    },
    changed(event: WechatMiniprogram.CustomEvent<{ visible: boolean }>) {
      if (!event.detail.visible) this.close()
    },
  },
  observers: {
    visible(visible: boolean) {
      if (visible) this.setData({ reason: '' })
    },
  },
})
