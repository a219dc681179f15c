/** Loading state of a page, and messages for refused actions. */
import { OFFLINE, Problem, codeOf } from '../api/problem'
import { open, say } from '../platform/wx'
import { words } from '../texts/index'
import { CONSENT_REQUIRED, afterConsent } from './consent'
import { settings } from './settings'
import { watched } from './slow'

export type State = 'loading' | 'slow' | 'content' | 'empty' | 'error' | 'offline' | 'consent'

type Changes = Record<string, unknown> & { state?: State }

interface Reading {
  data: { state: string }
  setData(changes: Record<string, unknown>): void
}

interface Acting {
  data: { busy: boolean }
  setData(changes: Record<string, unknown>): void
}

const CONSENT = '/packages/mine/consent/index'

/** Number of loads started per page; a response to an older one is dropped. */
const begun = new WeakMap<Reading, number>()

/** Loads data for a page and shows it; after a failure the page keeps what it shows. */
export async function load(page: Reading, work: () => Promise<Changes>): Promise<void> {
  const turn = (begun.get(page) ?? 0) + 1
  begun.set(page, turn)
  const newest = () => begun.get(page) === turn
  const again = page.data.state === 'content'
  if (!again) page.setData({ state: 'loading' })
  try {
    const changes = await watched(work(), () => {
      if (newest() && again) say(slowWords())
      else if (newest() && page.data.state === 'loading') page.setData({ state: 'slow' })
    })
    if (newest()) page.setData({ state: 'content', ...changes })
  } catch (why) {
    if (newest() && again) say(sentence(why))
    else if (newest()) page.setData({ state: stateOf(why), problem: sentence(why) })
    ownDefect(why)
  }
}

/**
 * Runs one action at a time and shows its refusal. Without consent it opens the consent page and
 * continues after consent. True when it succeeded immediately.
 */
export async function act(page: Acting, work: () => Promise<void>): Promise<boolean> {
  if (page.data.busy) return false
  page.setData({ busy: true })
  try {
    await watched(work(), () => say(slowWords()))
    return true
  } catch (why) {
    if (codeOf(why) === CONSENT_REQUIRED) {
      afterConsent(() => void act(page, work))
      open(CONSENT)
    } else say(sentence(why))
    ownDefect(why)
    return false
  } finally {
    page.setData({ busy: false })
  }
}

/** The running action of each page that queues its actions. */
const running = new WeakMap<Acting, Promise<unknown>>()

/** Queues an action after the running one, so that none is dropped. True when it succeeded. */
export function inTurn(page: Acting, work: () => Promise<void>): Promise<boolean> {
  const next = () => act(page, work)
  const before = running.get(page)
  const done = before ? before.then(next, next) : next()
  running.set(page, done)
  return done
}

function stateOf(why: unknown): State {
  const states: Record<string, State> = { [OFFLINE]: 'offline', [CONSENT_REQUIRED]: 'consent' }
  return states[codeOf(why)] ?? 'error'
}

const slowWords = (): string => words(settings().language, 'common').slow

/** The server's sentence if it sent one, otherwise our own. */
export function sentence(why: unknown): string {
  const c = words(settings().language, 'common')
  if (!(why instanceof Problem)) return c.failed
  if (why.code === OFFLINE) return c.offline
  if (why.code === CONSENT_REQUIRED) return c.consent_note
  return why.detail || c.failed
}

/** Rethrows anything but a Problem, because it is a bug of our own. */
function ownDefect(why: unknown): void {
  if (!(why instanceof Problem)) throw why
}
