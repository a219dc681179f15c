/** How the reader came in: by which code or card, and out of which group. */
import { shares } from '../api/index'
import { Problem } from '../api/problem'
import { groupEntry, wire } from '../platform/wx'
import { hasAgreed } from './consent'
import { remember } from './settings'

interface Launch {
  scene: number
  query: Record<string, string | undefined>
  shareTicket?: string
}

const FROM_A_GROUP = new Set([1008, 1044])

/** The code that was come by and is not reported yet. */
let code = ''
let groupPending = false

/** Remembers the door that was come in by. */
export function entered(launch: Launch): void {
  groupPending = FROM_A_GROUP.has(launch.scene) && launch.shareTicket !== undefined
  code = decoded(launch.query.scene ?? '') || code
  void reportVisit()
}

/** The code of a scene; one that somebody garbled stands for none. */
function decoded(scene: string): string {
  try {
    return decodeURIComponent(scene)
  } catch {
    return ''
  }
}

/** Tells by which code one came, once that is allowed; a report that is lost stops nobody. */
export async function reportVisit(): Promise<void> {
  if (code === '' || !wire.canLogIn()) return
  try {
    if (!(await hasAgreed())) return
    await shares.visit(code)
    code = ''
  } catch (why) {
    if (!(why instanceof Problem)) throw why
  }
}

export const comesFromGroup = (): boolean => groupPending

/** Puts the reader on the board of the group that the card was opened in; true when that is new. */
export async function joinGroup(): Promise<boolean> {
  if (!groupPending) return false
  // The group's name is sealed under the session key of the latest log-in.
  const login = await wire.loginCode()
  const entry = await groupEntry()
  groupPending = false
  if (entry === null) return false
  const { group_id } = await shares.joinGroup(login, entry.encryptedData, entry.iv)
  remember({ group: group_id })
  return true
}
