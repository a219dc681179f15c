/** How the program was opened: the code or card, and the group. */
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

/** The scene code that has not been reported yet. */
let code = ''
let groupPending = false

/** Stores the launch options. */
export function entered(launch: Launch): void {
  groupPending = FROM_A_GROUP.has(launch.scene) && launch.shareTicket !== undefined
  code = decoded(launch.query.scene ?? '') || code
  void reportVisit()
}

/** Decodes a scene to its code; an undecodable scene gives an empty code. */
function decoded(scene: string): string {
  try {
    return decodeURIComponent(scene)
  } catch {
    return ''
  }
}

/**
 * Reports the scene code once consent exists; failures are ignored, because visits only feed
 * statistics.
 */
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

/** Adds the user to the board of the group that the card was opened in; true when new. */
export async function joinGroup(): Promise<boolean> {
  if (!groupPending) return false
  // The group's id is encrypted with the session key of the latest login.
  const login = await wire.loginCode()
  const entry = await groupEntry()
  groupPending = false
  if (entry === null) return false
  const { group_id } = await shares.joinGroup(login, entry.encryptedData, entry.iv)
  remember({ group: group_id })
  return true
}
