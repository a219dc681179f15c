/** One row of a leaderboard. */
Component({
  properties: {
    row: { type: Object, value: {} },
    meWord: { type: String, value: '' },
    pointsWord: { type: String, value: '' },
  },
})
