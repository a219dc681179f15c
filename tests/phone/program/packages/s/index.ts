Page({
  data: { place: '哪里', turns: '', lines: 0, ended: 0 },
  turned(e: { detail: { current: number } }) {
    this.setData({ turns: this.data.turns + e.detail.current })
  },
  placed(e: { detail: { value: string[]; code: string[] } }) {
    this.setData({ place: `${e.detail.value.join()} ${e.detail.code.join()}` })
  },
  lined(e: { detail: { height: number } }) {
    this.setData({ lines: e.detail.height })
  },
  move() {
    this.animate('.moved', [{ translate: [0, 0] }, { translate: [60, 0] }], 10, () => this.setData({ ended: 1 }))
  },
})
