/** The privacy policy in plain words: operator, data, purposes, retention, rights. */
import { programme } from '../../../api/index'
import type { Campaign } from '../../../api/shapes'
import { phoneOf } from '../../../logic/contact'
import { sayDay } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { load } from '../../../kit/load'
import { open, openPrivacyContract } from '../../../platform/wx'

interface Fact {
  name: string
  value: string
}

Page({
  data: {
    ...dressed('privacy'),
    state: 'loading',
    problem: '',
    version: '',
    contacts: [] as Fact[],
  },

  onShow() {
    dress(this, 'privacy')
    void this.read()
  },

  /** The policy text is local and readable offline; the operator comes from the server. */
  async read() {
    await load(this, async () => {
      const campaign = await programme.campaign()
      const { t } = this.data
      const { policy_version: version, policy_date: date } = campaign
      const dated = date ? fill(t.version_since, { version, date: sayDay(date) }) : fill(t.version, { version })
      return { version: dated, contacts: this.contactsOf(campaign) }
    })
  },

  contactsOf(campaign: Campaign): Fact[] {
    const { t } = this.data
    const { operator, organisers } = campaign
    const every = [
      { name: t.operator, value: operator.name || (organisers[0]?.name ?? '') },
      { name: t.address, value: operator.address },
      { name: t.phone, value: phoneOf(campaign) },
      { name: t.email, value: operator.email },
      { name: t.privacy_contact, value: operator.privacy_contact },
      { name: t.complaints, value: operator.complaints },
    ]
    return every.filter(({ value }) => value !== '')
  },

  contract: () => openPrivacyContract(),
  own: () => open('/packages/mine/data/index'),
})
