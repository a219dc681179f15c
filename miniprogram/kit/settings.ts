/** What this phone remembers about its reader: language, size of type, the group last come from. */
import type { Language } from '../api/shapes'
import { wire } from '../platform/wx'

export interface Settings {
  language: Language
  /** The reader's own switch; null follows WeChat's font size. */
  elder: boolean | null
  group: string | null
}

const KEY = 'settings'
const AT_FIRST: Settings = { language: 'zh', elder: null, group: null }

export function settings(): Settings {
  return { ...AT_FIRST, ...wire.read<Partial<Settings>>(KEY) }
}

export function remember(changes: Partial<Settings>): void {
  wire.write(KEY, { ...settings(), ...changes })
}
