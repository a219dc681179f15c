/** Result cards, the visits they bring, and group boards; sharing earns nothing. */
import type { Client } from './client'
import { pictureAt } from './pictures'
import type { Group, Share } from './shapes'

export function shares(client: Client) {
  return {
    share: async (attempt_id: string, key: string) => {
      const body = { kind: 'quiz_result', attempt_id }
      const share = await client.call<Share>('POST', '/shares', { body, key })
      return { ...share, image_url: pictureAt(share.image_url), card_url: pictureAt(share.card_url) }
    },
    visit: (scene: string) => client.call<void>('POST', '/visits', { body: { scene } }),
    joinGroup: (code: string, encrypted_data: string, iv: string) =>
      client.call<Group>('POST', '/groups', { body: { code, encrypted_data, iv } }),
  }
}
