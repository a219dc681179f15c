/**
 * Which boards the user can see: contest, own places, and the WeChat group that the user came from.
 */
import { accounts, quiz } from '../../../api/index'
import { Problem, codeOf } from '../../../api/problem'
import type { Contest } from '../../../api/shapes'
import { contestOf } from '../../../logic/contests'
import { NOWHERE } from '../../../logic/ranking'
import type { Home } from '../../../logic/ranking'
import { hasAgreed } from '../../../kit/consent'
import { comesFromGroup, joinGroup } from '../../../kit/entry'
import { settings } from '../../../kit/settings'
import { wire } from '../../../platform/wx'

interface Found {
  home: Home
  /** The user has just arrived from a group. */
  joined: boolean
  /** A group board requires consent to the privacy policy. */
  needsConsent: boolean
}

/** The requested contest, by id or slug; by default the user's own. */
export async function contestFor(id: string): Promise<Contest | undefined> {
  return id ? quiz.contest(id) : contestOf((await quiz.contests()).items)
}

const NOBODY: Found = { home: NOWHERE, joined: false, needsConsent: false }

/** The user's places; empty without login or offline, because anyone may read a board. */
export async function homeOf(group: string | null): Promise<Found> {
  if (!wire.canLogIn()) return NOBODY
  try {
    const { joined, needsConsent } = await entry()
    const { city, county, unit, audience, city_name, county_name, unit_name } = await accounts.me()
    const names = { city: city_name, county: county_name, unit: unit_name }
    return { home: { city, county, unit, audience, group: settings().group ?? group, names }, joined, needsConsent }
  } catch (why) {
    if (!(why instanceof Problem)) throw why
    return NOBODY
  }
}

async function entry(): Promise<{ joined: boolean; needsConsent: boolean }> {
  if (comesFromGroup() && !(await hasAgreed())) return { joined: false, needsConsent: true }
  try {
    return { joined: await joinGroup(), needsConsent: false }
  } catch (why) {
    if (!(why instanceof Problem)) throw why
    return { joined: false, needsConsent: codeOf(why) === 'consent_required' }
  }
}
