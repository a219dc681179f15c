/** Reads the list: page by page in the order of time, or whole to order it by distance. */
import { lectures } from '../../../api/index'
import type { Activity } from '../../../api/lectures'
import type { Page } from '../../../api/shapes'
import { nearestFirst, pointOf } from '../../../logic/distance'
import type { Point } from '../../../logic/distance'
import type { Chosen } from './filters'

export const PAGE = 20
const LARGE_PAGE = 100
/** Ordering by distance reads at most this many large pages. */
const MOST_PAGES = 10

export function readPage(chosen: Chosen, day: string, after?: string, limit = PAGE): Promise<Page<Activity>> {
  const given = (value: string) => value || undefined
  const [city, programme, audience, only] = [chosen.city, chosen.programme, chosen.audience, day].map(given)
  return lectures.list({ city, programme, audience, from: only, to: only, after, limit })
}

/** Orders the activities on the phone, so that the server does not get the position. */
export async function readNearest(chosen: Chosen, day: string, here: Point): Promise<Page<Activity>> {
  const items: Activity[] = []
  let after: string | null | undefined
  for (let count = 0; after !== null && count < MOST_PAGES; count += 1) {
    const page: Page<Activity> = await readPage(chosen, day, after, LARGE_PAGE)
    items.push(...page.items)
    after = page.next
  }
  return { items: nearestFirst(items, pointOf, here), next: null }
}
