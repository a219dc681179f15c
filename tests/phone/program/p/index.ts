const RED = '#ff0000'

Page({
  data: { taps: 0, touches: 0, seen: 0 },
  size: 0,

  onReady() {
    this.createIntersectionObserver().relativeToViewport().observe('#far', () => this.setData({ seen: this.data.seen + 1 }))
  },

  count() {
    this.setData({ taps: this.data.taps + 1 })
  },

  down() {
    this.setData({ touches: this.data.touches + 1 })
  },

  up() {
    this.setData({ touches: this.data.touches + 10 })
  },

  paint() {
    return new Promise<void>((resolve) => {
      this.createSelectorQuery()
        .select('#paper')
        .fields({ node: true, size: true })
        .exec(([{ node, width, height }]) => {
          node.width = width * 2
          node.height = height * 2
          const pen = node.getContext('2d')
          pen.fillStyle = RED
          pen.fillRect(0, 0, node.width, node.height)
          wx.canvasToTempFilePath({
            canvas: node,
            success: ({ tempFilePath }) => wx.saveImageToPhotosAlbum({ filePath: tempFilePath, success: () => resolve() }),
          })
        })
    })
  },
})
