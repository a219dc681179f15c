export function openPage(url: string): void {
  wx.navigateTo({ url })
}
