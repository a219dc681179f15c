Page({
  data: { leaf: 0, ends: 0, wheel: 2, choice: '-', name: '' },
  moved(e: { detail: { current: number } }) {
    this.setData({ leaf: e.detail.current })
  },
  end() {
    this.setData({ ends: this.data.ends + 1 })
  },
  turned(e: { detail: { value: number[] } }) {
    this.setData({ wheel: e.detail.value[0] })
  },
  chose(e: { detail: { value: string } }) {
    this.setData({ choice: e.detail.value })
  },
})
