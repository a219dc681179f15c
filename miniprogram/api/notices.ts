/** The citizen's notices, and the remaining push grants. */
import type { Client } from './client'
import type { Letter, Page, Subscriptions } from './shapes'

export function notices(client: Client) {
  return {
    inbox: (after?: string) =>
      client.call<Page<Letter>>('GET', '/me/inbox', { query: { after, limit: 20 } }),
    remaining: () => client.call<Subscriptions>('GET', '/me/subscriptions'),
    subscribed: (results: Record<string, string>) =>
      client.call<Subscriptions>('POST', '/me/subscriptions', { body: { results } }),
  }
}
