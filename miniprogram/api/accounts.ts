/** The citizen's own record: profile, consent, export, erasure. */
import type { Client } from './client'
import { picturedSelf } from './pictures'
import type { Consent, ConsentGiven, Held, Phone, Profile, ProfileChange } from './shapes'

export function accounts(client: Client) {
  const known = (profile: Profile): Profile => {
    client.session.onPerson(profile)
    return picturedSelf(profile)
  }
  return {
    me: () => client.call<Profile>('GET', '/me').then(known),
    change: (body: ProfileChange) => client.call<Profile>('PUT', '/me', { body }).then(known),
    consent: (body: ConsentGiven, key: string) =>
      client.call<Consent>('POST', '/me/consents', { body, key }),
    sendAvatar: (filePath: string) => client.upload('/me/avatar', filePath, 'image'),
    givePhone: (code: string) => client.call<Phone>('POST', '/me/phone', { body: { code } }),
    held: () => client.call<Held>('GET', '/me/export'),
    erase: async (key: string) => {
      await client.call<void>('DELETE', '/me', { key })
      client.session.forget()
    },
  }
}
