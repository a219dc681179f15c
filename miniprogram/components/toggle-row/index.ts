/** A row that is switched by a tap anywhere on it. */
Component({
  properties: {
    heading: { type: String, value: '' },
    note: { type: String, value: '' },
    on: { type: Boolean, value: false },
  },
  methods: {
    flip() {
      this.triggerEvent('change', { value: !this.properties.on })
    },
  },
})
