/** A row of labels of which one or several can be selected. */
Component({
  properties: {
    /** Each `{value, label}`. */
    choices: { type: Array, value: [] },
    /** The selected values. */
    picked: { type: Array, value: [] },
    label: { type: String, value: '' },
    /** One row that scrolls sideways instead of wrapping. */
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
