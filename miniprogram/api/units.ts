/** Cities, counties and the units of the campaign. */
import type { Client } from './client'
import type { City, Page, Unit } from './shapes'

/** A missing unit that the user asked for, with the answer. */
export interface UnitRequest {
  id: string
  name: string
  place: string
  state: string
  unit_name: string | null
  sentence: string | null
}

export function units(client: Client) {
  return {
    cities: () => client.call<Page<City>>('GET', '/regions', { who: 'anyone' }),
    requests: () => client.call<{ items: UnitRequest[] }>('GET', '/me/unit-requests'),
    /** The idempotency key makes a repeat harmless, for example after a lost response. */
    request: (body: { name: string; city: string; county: string | null }, key: string) =>
      client.call<UnitRequest>('POST', '/me/unit-requests', { body, key }),
    find: (region: string | undefined, q: string | undefined) =>
      client.call<Page<Unit>>('GET', '/units', { who: 'anyone', query: { region, q, limit: 50 } }),
  }
}
