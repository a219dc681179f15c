/** Settings on this phone: language, type size, the last group the user came from. */
import type { Language, Person } from '../api/shapes'
import { wire } from '../platform/wx'

export interface Settings {
  language: Language
  /** Elder mode as the user set it; null follows WeChat's font size. */
  elder: boolean | null
  /** The server's value when the profile was last read. */
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

/** Applies a value chosen on another phone; true when something changed. */
export function followPerson({ elder_mode: elder }: Person): boolean {
  if (settings().elder_known === elder) return false
  remember({ elder, elder_known: elder })
  return true
}
