/** The only file that names wx: everything WeChat offers us, as promises and plain values. */
import type { Ask, Reply, Upload, Wire } from './shape'
import { offsetAfter } from './offset'
import { Unreachable } from './shape'
import { Storage } from './storage'

const SINGLE_PAGE_SCENE = 1154
/** The page that the timeline shows by itself: WeChat refuses there whatever wants a person, a bar or a menu. */
const onSinglePage = (): boolean => wx.getLaunchOptionsSync().scene === SINGLE_PAGE_SCENE

function lowerCased(headers: Record<string, unknown> | undefined): Record<string, string> {
  const pairs = Object.entries(headers ?? {})
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), String(value)]))
}

function send(ask: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    wx.request({
      url: ask.url,
      method: ask.method,
      header: ask.headers,
      data: ask.body as WechatMiniprogram.IAnyObject | undefined,
      timeout: ask.timeoutMs,
      success: (got) =>
        resolve({ status: got.statusCode, data: got.data, headers: lowerCased(got.header) }),
      fail: (why) => reject(new Unreachable(why.errMsg)),
    })
  })
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function upload(file: Upload): Promise<Reply> {
  return new Promise((resolve, reject) => {
    wx.uploadFile({
      url: file.url,
      filePath: file.filePath,
      name: file.field,
      header: file.headers,
      success: (got) => resolve({ status: got.statusCode, data: readable(got.data), headers: {} }),
      fail: (why) => reject(new Unreachable(why.errMsg)),
    })
  })
}

function loginCode(): Promise<string> {
  return new Promise((resolve, reject) => {
    wx.login({
      success: (got) => resolve(got.code),
      fail: (why) => reject(new Unreachable(why.errMsg)),
    })
  })
}

const storage = new Storage({
  read: (key) => wx.getStorageSync(key) as unknown,
  write: (key, value) => wx.setStorageSync(key, value),
  drop: (key) => wx.removeStorageSync(key),
  clear: () => wx.clearStorageSync(),
})

/** How far the server's clock is ahead of this phone's, in ms. */
let ahead = 0

export const wire: Wire = {
  send,
  upload,
  loginCode,
  canLogIn: () => !onSinglePage(),
  read: <T>(key: string) => storage.read<T>(key),
  write: (key, value) => storage.write(key, value),
  drop: (key) => storage.drop(key),
  now: () => Date.now() + ahead,
  setServerTime: (at) => (ahead = offsetAfter(ahead, at - Date.now())),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

export function forgetEverything(): void {
  storage.clear()
}

/** A name for one intended act, so that its repetition is recognised; no secret. */
export function freshKey(): string {
  const chance = Math.random().toString(36).slice(2, 12)
  return `mp-${Date.now().toString(36)}-${chance}`
}

/** The reader's font size in WeChat's own settings, in px; 16 is the ordinary one. */
export function fontSize(): number {
  return wx.getAppBaseInfo().fontSizeSetting ?? 16
}

const DEEPEST = 10
/** A second tap while a page is being opened does not open it twice. */
let opening = false

/** Whoever goes on has read what was said: it must not lie over the next page. */
export const open = (url: string): void => {
  wx.hideToast({ fail: () => undefined })
  // WeChat stacks no more pages than this: the next one takes the place of the last.
  if (getCurrentPages().length >= DEEPEST) return replace(url)
  if (opening) return
  opening = true
  // In the single page of a friends' circle WeChat itself says that there is no way on.
  wx.navigateTo({ url, fail: () => undefined, complete: () => (opening = false) })
}
export const replace = (url: string): void => void wx.redirectTo({ url })
export const restart = (url: string): void => void wx.reLaunch({ url })
export const openTab = (url: string): void => void wx.switchTab({ url })
/** The bar of a single page keeps the title of the page's own JSON. */
export function setTitle(title: string): void {
  if (!onSinglePage()) void wx.setNavigationBarTitle({ title })
}
export const scrollUp = (): void => void wx.pageScrollTo({ scrollTop: 0, duration: 0 })
export const endPull = (): void => void wx.stopPullDownRefresh()

interface OpenPage {
  route: string
  setData(changes: Record<string, unknown>): void
  getTabBar?(): unknown
}

export const openPages = (): OpenPage[] => getCurrentPages() as unknown as OpenPage[]

/** One step back, or the home page when this page was opened from outside; over when that is done. */
export function back(): Promise<void> {
  return new Promise((resolve) => {
    const complete = () => resolve()
    if (getCurrentPages().length > 1) wx.navigateBack({ complete })
    else wx.switchTab({ url: '/pages/home/index', complete })
  })
}

/** Asks with these words when the back key of the navigation bar is pressed on this page. */
export const askAtBackKey = (message: string): void =>
  wx.enableAlertBeforeUnload({ message, fail: () => undefined })
export const backKeyFree = (): void => wx.disableAlertBeforeUnload({ fail: () => undefined })

/** A short word is read at a glance and must not lie over the page for long. */
export function say(title: string): void {
  wx.showToast({ title, icon: 'none', duration: title.length > 6 ? 2000 : 1200 })
}

const RED = '#b3261e'

/** Ask before an act; true when the reader agrees. */
export function confirm(ask: {
  title: string
  content: string
  yes: string
  no: string
  /** What cannot be taken back: the agreeing word is red. */
  danger?: boolean
}): Promise<boolean> {
  return new Promise((resolve) => {
    wx.showModal({
      title: ask.title,
      content: ask.content,
      confirmText: ask.yes,
      cancelText: ask.no,
      ...(ask.danger ? { confirmColor: RED } : {}),
      success: (got) => resolve(got.confirm),
      fail: () => resolve(false),
    })
  })
}

/** The subscription sheet; must be called inside the tap that wants it. */
export function askToSubscribe(ids: string[]): Promise<Record<string, string>> {
  return new Promise((resolve) => {
    wx.requestSubscribeMessage({
      tmplIds: ids,
      success: (got) => {
        const answers = got as unknown as Record<string, string>
        resolve(Object.fromEntries(ids.flatMap((id) => (answers[id] ? [[id, answers[id]]] : []))))
      },
      // The main switch is off or the sheet was closed: nobody agreed to anything.
      fail: () => resolve({}),
    })
  })
}

/** Lets cards carry the group they are opened from. */
export function offerGroupShare(): void {
  if (onSinglePage()) return
  void wx.showShareMenu({ withShareTicket: true, menus: ['shareAppMessage', 'shareTimeline'] })
}

export interface GroupEntry {
  encryptedData: string
  iv: string
}

/** The group this visit came from, sealed for the server; null when it came from none. */
export function groupEntry(): Promise<GroupEntry | null> {
  return new Promise((resolve) => {
    wx.getGroupEnterInfo({
      success: (got) => resolve({ encryptedData: got.encryptedData, iv: got.iv }),
      fail: () => resolve(null),
    })
  })
}

/** Puts a text on the clipboard; false where WeChat did not allow it. */
export function copy(data: string): Promise<boolean> {
  return new Promise((resolve) => {
    wx.setClipboardData({ data, success: () => resolve(true), fail: () => resolve(false) })
  })
}

/** Hands a text over as a file, to a chat or to oneself; false where nothing was handed over. */
export function shareFile(fileName: string, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const filePath = `${wx.env.USER_DATA_PATH}/${fileName}`
    try {
      wx.getFileSystemManager().writeFileSync(filePath, text, 'utf8')
    } catch {
      // A full phone takes no file, as its storage takes no value.
      return resolve(false)
    }
    wx.shareFileMessage({ filePath, fileName, success: () => resolve(true), fail: () => resolve(false) })
  })
}

export function preview(url: string): void {
  wx.previewImage({ urls: [url], current: url })
}

export function openPrivacyContract(): void {
  wx.openPrivacyContract({ fail: () => undefined })
}

/** Takes a new version of the mini-program as soon as WeChat has it. */
export function applyUpdates(ask: () => Promise<boolean>): void {
  const manager = wx.getUpdateManager()
  manager.onUpdateReady(() => {
    void ask().then((agreed) => agreed && manager.applyUpdate())
  })
}
