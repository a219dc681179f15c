/** The privacy rules in plain words: what is kept, what for, how long, and how to take it back. */
import { dress, dressed } from '../../../kit/dress'
import { open, openPrivacyContract } from '../../../platform/wx'

Page({
  data: dressed('privacy'),
  onShow() {
    dress(this, 'privacy')
  },
  contract: () => openPrivacyContract(),
  own: () => open('/packages/mine/data/index'),
})
