/** A nickname field: emits the name when editing ends, typed or chosen from WeChat's suggestion. */
Component({
  properties: {
    value: { type: String, value: '' },
    label: { type: String, value: '' },
    hint: { type: String, value: '' },
  },
  data: { typed: '' },
  methods: {
    type(event: WechatMiniprogram.Input) {
      this.setData({ typed: event.detail.value })
    },
    /** A name chosen from WeChat's suggestion causes no blur event. */
    reviewed(event: WechatMiniprogram.CustomEvent<{ pass: boolean }>) {
      if (event.detail.pass) this.tell(this.data.typed)
    },
    leave(event: WechatMiniprogram.InputBlur) {
      this.tell(event.detail.value)
    },
    tell(typed: string) {
      const value = typed.trim()
      if (value !== this.properties.value) this.triggerEvent('name', { value })
    },
  },
})
