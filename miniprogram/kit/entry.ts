/** How the reader came in: by which code or card, and out of which group. */
import { shares } from '../api/index'
import { Problem } from '../api/problem'
import { groupEntry, wire } from '../platform/wx'
import { remember } from './settings'

interface Launch {
  scene: number
  query: Record<string, string | undefined>
  shareTicket?: string
}

const FROM_A_GROUP = new Set([1008, 1044])

let reported = ''
let groupPending = false

/** Remembers the door and reports its code; a report that is lost stops nobody. */
export function entered(launch: Launch): void {
  groupPending = FROM_A_GROUP.has(launch.scene) && launch.shareTicket !== undefined
  const code = decodeURIComponent(launch.query.scene ?? '')
  if (code === '' || code === reported || !wire.canLogIn()) return
  reported = code
  shares.visit(code).catch((why: unknown) => {
    if (!(why instanceof Problem)) throw why
    reported = ''
  })
}

/** Puts the reader on the board of the group that the card was opened in; true when that is new. */
export async function joinGroup(): Promise<boolean> {
  if (!groupPending) return false
  // The group's name is sealed under the session key of the latest log-in.
  const code = await wire.loginCode()
  const entry = await groupEntry()
  groupPending = false
  if (entry === null) return false
  const { group_id } = await shares.joinGroup(code, entry.encryptedData, entry.iv)
  remember({ group: group_id })
  return true
}
