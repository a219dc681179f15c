import { listing } from '../../kit/listing'
import { openPage } from '../../platform/wx'

Page({
  ...listing(),
  data: { count: 0, name: '', rows: [] },
  openRound() {
    openPage(`/packages/quiz/round/index?id=${this.data.count}`)
  },
  onPick() {},
  onInput() {},
})
