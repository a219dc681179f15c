/** The citizen's notices, and the remaining push grants. */
import type { Client } from './client'
import type { Inbox, Letter, Subscriptions } from './shapes'

export function notices(client: Client) {
  return {
    inbox: (after?: string) =>
      client.call<Inbox>('GET', '/me/inbox', { query: { after, limit: 20 } }),
    /** The number of notices that were not opened. */
    unread: () => client.call<Inbox>('GET', '/me/inbox', { query: { limit: 1 } }).then(({ unread }) => unread),
    letter: (id: string) => client.call<Letter>('GET', `/me/inbox/${id}`),
    read: (id: string) => client.call<void>('POST', `/me/inbox/${id}/read`),
    readAll: () => client.call<void>('POST', '/me/inbox/read'),
    /** The page of an announcement was opened; repeats change nothing. */
    opened: (ref: string) => client.call<void>('POST', `/me/announcements/${encodeURIComponent(ref)}/opened`),
    remaining: () => client.call<Subscriptions>('GET', '/me/subscriptions'),
    subscribed: (results: Record<string, string>) =>
      client.call<Subscriptions>('POST', '/me/subscriptions', { body: { results } }),
  }
}
