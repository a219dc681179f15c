Component({
  properties: { score: { type: Number, value: 0 } },
  methods: {
    tell() {
      this.triggerEvent('pick')
    },
  },
})
