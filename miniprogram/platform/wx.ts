/** The only file that uses `wx`: WeChat's functions as promises and plain values. */
import type { Ask, Download, Downloaded, Reply, Upload, Wire } from './shape'
import { offsetAfter } from './offset'
import { Unreachable } from './shape'
import { Storage } from './storage'

const SINGLE_PAGE_SCENE = 1154
/**
 * Whether this is the timeline's single page, where WeChat refuses login, tab bar and menu
 * functions.
 */
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

function download(file: Download): Promise<Downloaded> {
  return new Promise((resolve, reject) => {
    wx.downloadFile({
      url: file.url,
      header: file.headers,
      success: (got) => resolve({ status: got.statusCode, path: got.tempFilePath }),
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

/** Server time minus phone time, in ms. */
let ahead = 0

export const wire: Wire = {
  send,
  upload,
  download,
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

/** A random idempotency key for one intended request; not a secret. */
export function freshKey(): string {
  const chance = Math.random().toString(36).slice(2, 12)
  return `mp-${Date.now().toString(36)}-${chance}`
}

/** The font size in WeChat's own settings, in px; 16 is the default. */
export function fontSize(): number {
  return wx.getAppBaseInfo().fontSizeSetting ?? 16
}

const DEEPEST = 10
/** Prevents a double tap from opening a page twice. */
let opening = false

/** Opens a page and hides the toast, which would otherwise cover the next page. */
export const open = (url: string): void => {
  wx.hideToast({ fail: () => undefined })
  // WeChat limits the page stack; at the limit the new page replaces the top one.
  if (getCurrentPages().length >= DEEPEST) return replace(url)
  if (opening) return
  opening = true
  // In the timeline's single page WeChat itself shows that navigation is not possible.
  wx.navigateTo({ url, fail: () => undefined, complete: () => (opening = false) })
}
export const replace = (url: string): void => void wx.redirectTo({ url })
export const restart = (url: string): void => void wx.reLaunch({ url })
export const openTab = (url: string): void => void wx.switchTab({ url })
/** Sets the title; in a single page WeChat keeps the title of the page's JSON. */
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

/** Goes one page back, or to the home page when this is the first page; resolves when done. */
export function back(): Promise<void> {
  return new Promise((resolve) => {
    const complete = () => resolve()
    if (getCurrentPages().length > 1) wx.navigateBack({ complete })
    else wx.switchTab({ url: '/pages/home/index', complete })
  })
}

/** Asks for confirmation when the back button of the navigation bar is pressed on this page. */
export const askAtBackKey = (message: string): void =>
  wx.enableAlertBeforeUnload({ message, fail: () => undefined })
export const backKeyFree = (): void => wx.disableAlertBeforeUnload({ fail: () => undefined })

/** Shows a short toast, long enough to read it and no longer. */
export function say(title: string): void {
  wx.showToast({ title, icon: 'none', duration: title.length > 6 ? 2000 : 1200 })
}

const RED = '#b3261e'

/** Asks for confirmation; true when the user agrees. */
export function confirm(ask: {
  title: string
  content: string
  yes: string
  no: string
  /** Makes the confirming button red, for actions that cannot be undone. */
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

/** Opens the subscription sheet; must be called inside the tap handler. */
export function askToSubscribe(ids: string[]): Promise<Record<string, string>> {
  return new Promise((resolve) => {
    wx.requestSubscribeMessage({
      tmplIds: ids,
      success: (got) => {
        const answers = got as unknown as Record<string, string>
        resolve(Object.fromEntries(ids.flatMap((id) => (answers[id] ? [[id, answers[id]]] : []))))
      },
      // The main switch is off or the sheet was closed: nothing was accepted.
      fail: () => resolve({}),
    })
  })
}

/** Makes WeChat report the group in which a shared card is opened. */
export function offerGroupShare(): void {
  if (onSinglePage()) return
  void wx.showShareMenu({ withShareTicket: true, menus: ['shareAppMessage', 'shareTimeline'] })
}

export interface GroupEntry {
  encryptedData: string
  iv: string
}

/** The group of this visit, encrypted for the server; null without a group. */
export function groupEntry(): Promise<GroupEntry | null> {
  return new Promise((resolve) => {
    wx.getGroupEnterInfo({
      success: (got) => resolve({ encryptedData: got.encryptedData, iv: got.iv }),
      fail: () => resolve(null),
    })
  })
}

/** Copies a text to the clipboard; false when WeChat refused it. */
export function copy(data: string): Promise<boolean> {
  return new Promise((resolve) => {
    wx.setClipboardData({ data, success: () => resolve(true), fail: () => resolve(false) })
  })
}

/** Shares a text as a file; false when nothing was shared. */
export function shareFile(fileName: string, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const filePath = `${wx.env.USER_DATA_PATH}/${fileName}`
    try {
      wx.getFileSystemManager().writeFileSync(filePath, text, 'utf8')
    } catch {
      // A full phone cannot write the file.
      return resolve(false)
    }
    wx.shareFileMessage({ filePath, fileName, success: () => resolve(true), fail: () => resolve(false) })
  })
}

/** Sends a file of this phone to a chat; must be called inside the tap handler. */
export function sendFile(filePath: string, fileName: string): Promise<boolean> {
  return new Promise((resolve) => {
    wx.shareFileMessage({ filePath, fileName, success: () => resolve(true), fail: () => resolve(false) })
  })
}

/** Saves a picture of this phone to the album; `refused` without the permission for it. */
export function saveToAlbum(filePath: string): Promise<'saved' | 'refused' | 'failed'> {
  return new Promise((resolve) => {
    wx.saveImageToPhotosAlbum({
      filePath,
      success: () => resolve('saved'),
      fail: ({ errMsg }) => resolve(/auth|privacy/.test(errMsg) ? 'refused' : 'failed'),
    })
  })
}

/** Opens WeChat's page of the permissions and subscription messages of this mini-program. */
export const openSettings = (): void => void wx.openSetting({ withSubscriptions: true, fail: () => undefined })

export function preview(url: string): void {
  wx.previewImage({ urls: [url], current: url })
}

export function openPrivacyContract(): void {
  wx.openPrivacyContract({ fail: () => undefined })
}

/** Applies a new version of the mini-program as soon as WeChat has it. */
export function applyUpdates(ask: () => Promise<boolean>): void {
  const manager = wx.getUpdateManager()
  manager.onUpdateReady(() => {
    void ask().then((agreed) => agreed && manager.applyUpdate())
  })
}

export interface Position {
  latitude: number
  longitude: number
}

/** The approximate position on WeChat's map (GCJ-02); null when it was not permitted. */
export function findPosition(): Promise<Position | null> {
  return new Promise((resolve) => {
    wx.getFuzzyLocation({
      type: 'gcj02',
      success: ({ latitude, longitude }) => resolve({ latitude, longitude }),
      fail: () => resolve(null),
    })
  })
}

/** Opens WeChat's map at a place. */
export function showOnMap(place: Position & { name: string; address: string }): void {
  wx.openLocation({ ...place, scale: 16, fail: () => undefined })
}

export function callNumber(phoneNumber: string): void {
  wx.makePhoneCall({ phoneNumber, fail: () => undefined })
}

/** The brightness before `brighten`; null while it is unchanged. */
let before: Promise<number> | null = null

/** Makes the screen bright and keeps it on, so that a scanner can read a code. */
export function brighten(): void {
  wx.setKeepScreenOn({ keepScreenOn: true, fail: () => undefined })
  before ??= new Promise((resolve) => {
    // -1 lets the system decide again.
    wx.getScreenBrightness({ success: ({ value }) => resolve(value), fail: () => resolve(-1) })
  })
  void before.then(() => before && wx.setScreenBrightness({ value: 1, fail: () => undefined }))
}

/** Restores what `brighten` changed. */
export function dim(): void {
  if (before === null) return
  wx.setKeepScreenOn({ keepScreenOn: false, fail: () => undefined })
  void before.then((value) => wx.setScreenBrightness({ value, fail: () => undefined }))
  before = null
}

/** The scanned text; `left` when the user closed it, `denied` when WeChat may not use it. */
export type Scanned = { kind: 'read'; text: string; path: string } | { kind: 'left' } | { kind: 'denied' }

/** Opens WeChat's scanner for the camera alone: a stored picture of a code must not be accepted. */
export function scanCode(): Promise<Scanned> {
  return new Promise((resolve) => {
    wx.scanCode({
      onlyFromCamera: true,
      scanType: ['qrCode'],
      success: ({ result, path }) => resolve({ kind: 'read', text: result, path: path ?? '' }),
      fail: ({ errMsg }) => resolve({ kind: errMsg.includes('cancel') ? 'left' : 'denied' }),
    })
  })
}

/** Vibrates, so that the result is felt without looking. */
export function shake(length: 'short' | 'long'): void {
  if (length === 'short') wx.vibrateShort({ type: 'heavy', fail: () => undefined })
  else wx.vibrateLong({ fail: () => undefined })
}

/** The players of sounds by path, created at first use. */
const players = new Map<string, WechatMiniprogram.InnerAudioContext>()

/** Plays a short sound of the package from its beginning. */
export function play(path: string): void {
  const player = players.get(path) ?? wx.createInnerAudioContext()
  if (!players.has(path)) player.src = path
  players.set(path, player)
  player.stop()
  player.play()
}

/** Keeps the screen on, or gives it back to the system. */
export const keepAwake = (keepScreenOn: boolean): void => wx.setKeepScreenOn({ keepScreenOn, fail: () => undefined })

/** Calls `hear` when the phone gets network again; returns how to stop that. */
export function onReconnected(hear: () => void): () => void {
  const told: WechatMiniprogram.OnNetworkStatusChangeCallback = ({ isConnected }) => isConnected && hear()
  wx.onNetworkStatusChange(told)
  // In the typings, the listener that is removed has another argument than the one that is added.
  return () => wx.offNetworkStatusChange(told as unknown as WechatMiniprogram.OffNetworkStatusChangeCallback)
}
