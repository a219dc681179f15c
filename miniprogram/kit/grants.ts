/** Push grants before a sign-up: the subscription sheet in the tap, and its answers. */
import { notices, programme } from '../api/index'
import { askToSubscribe, confirm, open, openSettings, say } from '../platform/wx'
import type { words } from '../texts/index'

type Common = ReturnType<typeof words<'common'>>

/** WeChat's limit of templates in one sheet. */
const MOST = 3
const SEATED = ['lecture-reminder', 'change-notice', 'signup-success']
const WAITING = ['waitlist-promoted', 'lecture-reminder', 'change-notice']

/** The template ids to offer, by whether the sign-up will wait for a seat. */
export interface Offers {
  seated: string[]
  waiting: string[]
  /** The grants left of each template. */
  left: Record<string, number>
}

/** Reads which templates the server sends; the sheet is not opened for others. */
export async function readOffers(): Promise<Offers> {
  const [{ subscribe_templates: all }, { remaining }] = await Promise.all([programme.campaign(), notices.remaining()])
  const sent = all.filter(({ id }) => id in remaining)
  const idsOf = (slugs: string[]) => slugs.flatMap((slug) => sent.filter((one) => one.slug === slug).map(({ id }) => id)).slice(0, MOST)
  return { seated: idsOf(SEATED), waiting: idsOf(WAITING), left: remaining }
}

/** Why a sheet gave nothing: the user said no, or WeChat's settings do not permit messages. */
export type Lack = '' | 'refused' | 'off'

/** What came of a sheet: no reminder can be sent for the reason `lack`; `trouble` is an error of the recording. */
export interface Asked {
  lack: Lack
  trouble: unknown
}

/** WeChat answers nothing when its main switch is off, and `ban` for a template that is switched off. */
export function lackOf(results: Record<string, string>): Lack {
  const answers = Object.values(results)
  if (answers.some((one) => one.startsWith('accept'))) return ''
  return answers.length === 0 || answers.includes('ban') ? 'off' : 'refused'
}

/**
 * Opens the sheet, which WeChat allows only inside the tap handler, and records the answers.
 * An error is returned, not thrown, so that the sign-up after it takes place in any case.
 */
export async function offerGrants(ids: string[], left: Record<string, number>): Promise<Asked> {
  if (ids.length === 0) return { lack: '', trouble: null }
  const results = await askToSubscribe(ids)
  const lack = ids.some((id) => (left[id] ?? 0) > 0) ? '' : lackOf(results)
  if (Object.keys(results).length === 0) return { lack, trouble: null }
  return notices.subscribed(results).then(
    () => ({ lack, trouble: null }),
    (trouble: unknown) => ({ lack, trouble }),
  )
}

/** Says that no reminder will come and what helps, and opens the page for it; `heading` is what was done. */
export async function sayLack(lack: Lack, heading: string, c: Common): Promise<void> {
  if (lack === '') return say(heading)
  const off = lack === 'off'
  const yes = await confirm({ title: heading, content: off ? c.push_off : c.push_none, yes: off ? c.push_settings : c.push_more, no: c.push_known })
  if (yes && off) openSettings()
  else if (yes) open('/packages/mine/subscriptions/index')
}
