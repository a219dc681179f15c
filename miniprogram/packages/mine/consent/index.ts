/** Consent to the privacy policy, with the age question; nothing is preselected. */
import { accounts, programme } from '../../../api/index'
import { consentGiven, consentLeft } from '../../../kit/consent'
import { reportEntry } from '../../../kit/entry'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { back, freshKey, open, say } from '../../../platform/wx'

Page({
  data: {
    ...dressed('consent'),
    state: 'loading',
    problem: '',
    busy: false,
    version: '',
    ages: [] as { value: string; label: string }[],
    age: '',
    guardianName: '',
    guardianRelation: '',
    key: '',
  },

  onLoad() {
    dress(this, 'consent')
    const { t } = this.data
    this.setData({
      key: freshKey(),
      ages: [
        { value: 'over', label: t.over_14 },
        { value: 'under', label: t.under_14 },
      ],
    })
    void this.read()
  },

  onUnload() {
    consentLeft()
  },

  async read() {
    await load(this, async () => ({ version: (await programme.campaign()).policy_version }))
  },

  pickAge(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ age: event.detail.value })
  },
  typeName(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ guardianName: event.detail.value })
  },
  typeRelation(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ guardianRelation: event.detail.value })
  },

  async agree() {
    const { age, guardianName, guardianRelation, version, key, t } = this.data
    if (age === '') return say(t.age_first)
    const under = age === 'under'
    if (under && !(guardianName.trim() && guardianRelation.trim())) return say(t.guardian_first)
    const guardian = under
      ? { guardian_name: guardianName.trim(), guardian_relation: guardianRelation.trim() }
      : {}
    await act(this, async () => {
      const given = { policy_version: version, under_14: under, guardian: under, ...guardian }
      await accounts.consent(given, key)
      void reportEntry()
      const goOn = consentGiven()
      say(t.thanks)
      await back()
      goOn()
    })
    // A corrected form is a new request, so it needs a new idempotency key.
    this.setData({ key: freshKey() })
  },

  privacy: () => open('/packages/mine/privacy/index'),
  later: () => back(),
})
