/** The campaign and its programmes; readable without login. */
import type { Client } from './client'
import type { Publication } from './letters'
import { pictureAt } from './pictures'
import type { Campaign, Page, Programme } from './shapes'

export function programme(client: Client) {
  return {
    campaign: () => client.call<Campaign>('GET', '/campaign', { who: 'anyone' }),
    list: (filter: { kind?: string; city?: string; after?: string }) =>
      client.call<Page<Programme>>('GET', '/programmes', {
        who: 'anyone',
        query: { kind: filter.kind, city: filter.city, after: filter.after, limit: 100 },
      }),
    one: (slug: string) =>
      client.call<Programme>('GET', `/programmes/${slug}`, { who: 'anyone' }),
    publication: async (code: string) => {
      const one = await client.call<Publication>('GET', `/codes/${encodeURIComponent(code)}`, { who: 'anyone' })
      return { ...one, picture_url: one.picture_url && pictureAt(one.picture_url) }
    },
  }
}
