/** One line of a board. */
Component({
  properties: {
    row: { type: Object, value: {} },
    meWord: { type: String, value: '' },
    pointsWord: { type: String, value: '' },
  },
})
