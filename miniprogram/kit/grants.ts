/** Push grants before a sign-up: the subscription sheet in the tap, and its answers. */
import { notices, programme } from '../api/index'
import { askToSubscribe } from '../platform/wx'

/** WeChat's limit of templates in one sheet. */
const MOST = 3
const SEATED = ['lecture-reminder', 'change-notice', 'signup-success']
const WAITING = ['waitlist-promoted', 'lecture-reminder', 'change-notice']

/** The template ids to offer, by whether the sign-up will wait for a seat. */
export interface Offers {
  seated: string[]
  waiting: string[]
}

/** Reads which templates the server sends; the sheet is not opened for others. */
export async function readOffers(): Promise<Offers> {
  const [{ subscribe_templates: all }, { remaining }] = await Promise.all([programme.campaign(), notices.remaining()])
  const sent = all.filter(({ id }) => id in remaining)
  const idsOf = (slugs: string[]) => slugs.flatMap((slug) => sent.filter((one) => one.slug === slug).map(({ id }) => id)).slice(0, MOST)
  return { seated: idsOf(SEATED), waiting: idsOf(WAITING) }
}

/**
 * Opens the sheet, which WeChat allows only inside the tap handler, and records the answers.
 * Resolves to null, or to what went wrong, so that the sign-up after it takes place in any case.
 */
export async function offerGrants(ids: string[]): Promise<unknown> {
  if (ids.length === 0) return null
  const results = await askToSubscribe(ids)
  if (Object.keys(results).length === 0) return null
  return notices.subscribed(results).then(
    () => null,
    (why: unknown) => why,
  )
}
