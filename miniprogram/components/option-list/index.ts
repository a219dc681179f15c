/** The options of one question: to be tapped, or with the right and the own answer marked. */
Component({
  properties: {
    /** Each `{key, text, chosen, correct?}`. */
    options: { type: Array, value: [] },
    kind: { type: String, value: 'single' },
    /** Shows which options are right; nothing can be tapped then. */
    marked: { type: Boolean, value: false },
    rightWord: { type: String, value: '' },
    ownWord: { type: String, value: '' },
  },
  methods: {
    pick(event: WechatMiniprogram.TouchEvent) {
      if (this.properties.marked) return
      this.triggerEvent('pick', { key: event.currentTarget.dataset.key as string })
    },
  },
})
