/** What this phone remembers about its reader: language, size of type, the group last come from. */
import type { Language, Person } from '../api/shapes'
import { wire } from '../platform/wx'

export interface Settings {
  language: Language
  /** The reader's own switch; null follows WeChat's font size. */
  elder: boolean | null
  /** What the person's own record said of it when it was last read. */
  elder_known: boolean
  group: string | null
}

const KEY = 'settings'
const AT_FIRST: Settings = { language: 'zh', elder: null, elder_known: false, group: null }

export function settings(): Settings {
  return { ...AT_FIRST, ...wire.read<Partial<Settings>>(KEY) }
}

export function remember(changes: Partial<Settings>): void {
  wire.write(KEY, { ...settings(), ...changes })
}

/** Takes over what the person chose on another phone; true when something changed. */
export function followPerson({ elder_mode: elder }: Person): boolean {
  if (settings().elder_known === elder) return false
  remember({ elder, elder_known: elder })
  return true
}
