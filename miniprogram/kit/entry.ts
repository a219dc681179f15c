/** How the program was opened: the code or card, the group, and the announcement. */
import { notices, shares } from '../api/index'
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
/** The announcement whose page was opened and that has not been reported yet. */
let announcement = ''
/** Announcements that were reported since the program started. */
const reported = new Set<string>()

/** Stores the launch options. */
export function entered(launch: Launch): void {
  groupPending = FROM_A_GROUP.has(launch.scene) && launch.shareTicket !== undefined
  code = decoded(launch.query.scene ?? '') || code
  keepAnnouncement(launch.query.a ?? '')
  void reportEntry()
}

/** Reports the announcement in the address of a page that is opened from the inbox. */
export function openedFrom(page: string): void {
  keepAnnouncement(/[?&]a=([^&]*)/.exec(page)?.[1] ?? '')
  void reportEntry()
}

function keepAnnouncement(ref: string): void {
  if (ref !== '' && !reported.has(ref)) announcement = ref
}

/** Decodes a scene to its code; an undecodable scene gives an empty code. */
export function decoded(scene: string): string {
  try {
    return decodeURIComponent(scene)
  } catch {
    return ''
  }
}

/**
 * Reports the scene code and the announcement once consent exists; failures are ignored, because
 * they only feed statistics.
 */
export function reportEntry(): Promise<void> {
  reporting = reporting.then(report, report)
  return reporting
}

/** The newest report: one runs at a time, so that nothing is reported twice. */
let reporting: Promise<void> = Promise.resolve()

async function report(): Promise<void> {
  await reportOnce(code, shares.visit, (told) => {
    if (code === told) code = ''
  })
  await reportOnce(announcement, notices.opened, (told) => {
    reported.add(told)
    if (announcement === told) announcement = ''
  })
}

async function reportOnce(
  word: string,
  tell: (word: string) => Promise<void>,
  done: (word: string) => void,
): Promise<void> {
  if (word === '' || !wire.canLogIn()) return
  try {
    if (!(await hasAgreed())) return
    await tell(word)
    done(word)
  } catch (why) {
    if (!(why instanceof Problem)) throw why
    // It was withdrawn or is of another campaign.
    if (why.status === 404) done(word)
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
