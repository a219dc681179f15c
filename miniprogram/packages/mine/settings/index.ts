/**
 * Type size and language: applied on this phone immediately, and stored with the person after
 * consent.
 */
import { accounts } from '../../../api/index'
import { Problem } from '../../../api/problem'
import type { Language, ProfileChange } from '../../../api/shapes'
import { hasAgreed } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { remember, settings } from '../../../kit/settings'
import { say } from '../../../platform/wx'
import { offered } from '../../../texts/index'

Page({
  data: {
    ...dressed('settings'),
    languages: [] as { value: Language; label: string }[],
    language: settings().language,
  },

  onShow() {
    this.redress()
  },

  redress() {
    dress(this, 'settings')
    const { t } = this.data
    this.setData({
      language: settings().language,
      languages: offered().map((value) => ({ value, label: { zh: t.language_zh, za: t.language_za }[value] })),
    })
  },

  elder(event: WechatMiniprogram.CustomEvent<{ value: boolean }>) {
    remember({ elder: event.detail.value })
    this.redress()
    void this.tell({ elder_mode: event.detail.value })
  },
  pickLanguage(event: WechatMiniprogram.CustomEvent<{ value: Language }>) {
    remember({ language: event.detail.value })
    this.redress()
    void this.tell({ language: event.detail.value })
  },

  /**
   * Sends the change to the server after consent; this phone applied it before. Shows a message
   * when the server refused it or could not be reached.
   */
  async tell(change: ProfileChange) {
    try {
      if (await hasAgreed()) await accounts.change(change)
    } catch (why) {
      if (!(why instanceof Problem)) throw why
      say(this.data.t.only_here)
    }
  },
})
