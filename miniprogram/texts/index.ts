/** Texts by section and language; missing texts fall back to Chinese. */
import { za } from './za'
import { zh, type Partly } from './zh'

type Words = typeof zh
export type Section = keyof Words
export type Language = 'zh' | 'za'

/** The texts of one section, complete in every language. */
export function words<S extends Section>(language: Language, section: S): Words[S] {
  return language === 'zh' ? zh[section] : { ...zh[section], ...za[section] }
}

/** The languages that a user can select: those with complete texts. */
export function offered(): Language[] {
  return isWhole(za) ? ['zh', 'za'] : ['zh']
}

export function isWhole(language: Partly<Words>): boolean {
  return Object.entries(zh).every(([section, keys]) =>
    Object.keys(keys).every((key) => (language[section as Section] as Record<string, string> | undefined)?.[key]),
  )
}
