/** The options of one question: tappable, or marked with the right answer and the user's own. */
Component({
  properties: {
    /** Each `{key, text, chosen, correct?}`. */
    options: { type: Array, value: [] },
    kind: { type: String, value: 'single' },
    /** Shows which options are right and disables taps. */
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
