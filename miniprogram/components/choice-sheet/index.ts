/** A bottom sheet with one large row per choice. */
Component({
  properties: {
    visible: { type: Boolean, value: false },
    heading: { type: String, value: '' },
    closeWord: { type: String, value: '' },
    /** Each `{value, label}`. */
    choices: { type: Array, value: [] },
    value: { type: String, value: '' },
  },
  methods: {
    pick(event: WechatMiniprogram.TouchEvent) {
      this.triggerEvent('pick', { value: event.currentTarget.dataset.value as string })
    },
    close() {
      this.triggerEvent('close')
    },
    changed(event: WechatMiniprogram.CustomEvent<{ visible: boolean }>) {
      if (!event.detail.visible) this.close()
    },
  },
})
