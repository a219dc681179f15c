/** The user's certificates: asking for one, its picture, its PDF for printing and its public page. */
import { certificates } from '../../../api/index'
import { dress, dressed } from '../../../kit/dress'
import { mustAgree } from '../../../kit/consent'
import { act, load } from '../../../kit/load'
import { fill } from '../../../logic/fill'
import { confirm, copy, endPull, freshKey, open, openSettings, preview, say, saveToAlbum, sendFile } from '../../../platform/wx'
import type { OfferRow, Row } from './rows'
import { rowsOf } from './rows'

Page({
  data: {
    ...dressed('certificates'),
    state: 'loading',
    problem: '',
    busy: false,
    /** The contest or activity that the user came from. */
    source: '',
    offers: [] as OfferRow[],
    rows: [] as Row[],
    names: {} as Record<string, string>,
    /** The certificate whose picture is shown, and its files on this phone. */
    shown: '',
    picture: '',
    pdf: '',
    key: '',
  },

  onLoad(query: Record<string, string | undefined>) {
    this.setData({ source: query.source ?? '', key: freshKey() })
  },
  onShow() {
    dress(this, 'certificates')
    void this.read()
  },
  async read() {
    await load(this, async () => {
      await mustAgree()
      const rows = rowsOf(await certificates.own(), this.data.t, this.data.source)
      return { ...rows, state: rows.rows.length + rows.offers.length > 0 ? 'content' : 'empty' }
    })
  },
  async onPullDownRefresh() {
    await this.read()
    endPull()
  },

  type(event: WechatMiniprogram.Input) {
    const key = event.currentTarget.dataset.key as string
    this.setData({ names: { ...this.data.names, [key]: event.detail.value } })
  },
  async take(event: WechatMiniprogram.TouchEvent) {
    const { t, offers, names, busy } = this.data
    const offer = offers.find(({ key }) => key === event.currentTarget.dataset.key)
    if (!offer || busy) return
    const name = (names[offer.key] ?? '').trim()
    if (name === '') return say(t.name_first)
    const ask = { title: t.sure, content: fill(t.sure_what, { name }), yes: t.sure_yes, no: t.sure_no }
    if (!(await confirm(ask))) return
    await act(this, async () => {
      const { serial } = await certificates.issue(offer.kind, offer.source, name, this.data.key)
      this.setData({ key: freshKey() })
      say(t.taken)
      await this.read()
      await this.show(serial)
    })
  },

  async toggle(event: WechatMiniprogram.TouchEvent) {
    const serial = event.currentTarget.dataset.serial as string
    if (serial === this.data.shown) return this.setData({ shown: '', picture: '', pdf: '' })
    await act(this, () => this.show(serial))
  },
  async show(serial: string) {
    const picture = await certificates.file(serial, 'png')
    this.setData({ shown: serial, picture, pdf: '' })
  },
  look() {
    preview(this.data.picture)
  },
  async save() {
    const { t, picture } = this.data
    const saved = await saveToAlbum(picture)
    if (saved === 'saved') return say(t.saved)
    if (saved === 'failed') return say(t.not_saved)
    const ask = { title: t.refused, content: t.refused_what, yes: t.settings, no: t.later }
    if (await confirm(ask)) openSettings()
  },
  async prepare() {
    await act(this, async () => this.setData({ pdf: await certificates.file(this.data.shown, 'pdf') }))
  },
  /** Needs a tap of its own, because WeChat sends files only inside a tap handler. */
  async send() {
    const { t, rows, shown, pdf } = this.data
    const row = rows.find(({ serial }) => serial === shown)
    if (!row) return
    const name = fill(t.file_name, { heading: row.heading, serial: row.serial })
    if (!(await sendFile(pdf, name))) say(t.not_sent)
  },
  async copyLink(event: WechatMiniprogram.TouchEvent) {
    const { t } = this.data
    say((await copy(event.currentTarget.dataset.link as string)) ? t.copied : t.not_copied)
  },
  answer: () => open('/packages/quiz/round/index'),
})
