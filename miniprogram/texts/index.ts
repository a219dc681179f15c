/** Words by section and language; what a language lacks is said in Chinese and listed. */
import { za } from './za'
import { zh } from './zh'

type Words = typeof zh
export type Section = keyof Words
export type Language = 'zh' | 'za'

export type Partly<T> = { [S in keyof T]?: { [K in keyof T[S]]?: string } }

/** The words of one section, whole in every language. */
export function words<S extends Section>(language: Language, section: S): Words[S] {
  return language === 'zh' ? zh[section] : { ...zh[section], ...za[section] }
}

/** `section.key` of everything that has no wording of its own in Zhuang. */
export function fallbacks(): string[] {
  return (Object.keys(zh) as Section[]).flatMap((section) =>
    Object.keys(zh[section])
      .filter((key) => !(key in (za[section] ?? {})))
      .map((key) => `${section}.${key}`),
  )
}
