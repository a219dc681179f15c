/** A row of words of which one, or several, are picked. */
Component({
  properties: {
    /** Each `{value, label}`. */
    choices: { type: Array, value: [] },
    /** The values that are picked. */
    picked: { type: Array, value: [] },
    label: { type: String, value: '' },
    /** One row that is scrolled sideways, however many there are. */
    scroll: { type: Boolean, value: false },
  },
  data: { items: [] as { value: string; label: string; on: boolean }[] },
  observers: {
    'choices, picked'(choices: { value: string; label: string }[], picked: string[]) {
      this.setData({ items: choices.map((one) => ({ ...one, on: picked.includes(one.value) })) })
    },
  },
  methods: {
    pick(event: WechatMiniprogram.TouchEvent) {
      this.triggerEvent('pick', { value: event.currentTarget.dataset.value as string })
    },
  },
})
