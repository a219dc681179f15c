/** A field for a nickname: tells the name once the reader is done with it, typed or taken from WeChat. */
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
    /** A name taken from WeChat's offer comes without the field being left. */
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
