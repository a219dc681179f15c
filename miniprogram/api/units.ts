/** Cities, counties and the units of the campaign. */
import type { Client } from './client'
import type { City, Page, Unit } from './shapes'

export function units(client: Client) {
  return {
    cities: () => client.call<Page<City>>('GET', '/regions', { who: 'anyone' }),
    find: (region: string | undefined, q: string | undefined) =>
      client.call<Page<Unit>>('GET', '/units', { who: 'anyone', query: { region, q, limit: 50 } }),
  }
}
