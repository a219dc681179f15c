/** What the subscription centre shows of the profile, of the grants and in its sheets. */
import type { City, Profile, ProfileChange, Subscriptions, Template, Topic } from '../../../api/shapes'
import { QUIET_FROM, QUIET_TO } from '../../../logic/choices'
import type { Choice } from '../../../logic/choices'
import { fill } from '../../../logic/fill'
import { choseAny, rowsOf } from '../../../logic/topics'
import type { words } from '../../../texts/index'

type Words = ReturnType<typeof words<'subscriptions'>>

export type Sheet = 'city' | 'quiet_from' | 'quiet_to'

export interface Kind {
  id: string
  title: string
  left: string
}

/** WeChat's limit of templates in one sheet. */
const MOST_TOGETHER = 3

export function profileShown(profile: Profile, topics: Topic[], t: Words) {
  const { quiet_from: from, quiet_to: to } = profile
  return {
    profile,
    rows: rowsOf(topics, profile),
    chosen: choseAny(topics, profile),
    city: profile.city_name ?? t.city_none,
    quiet: from && to ? fill(t.quiet_hours, { from, to }) : t.quiet_none,
  }
}

/** Each template with its grants; `together` are those with the fewest, for one sheet. */
export function grantsShown(templates: Template[], { remaining }: Subscriptions, t: Words) {
  const left = (id: string) => remaining[id] ?? 0
  const kinds: Kind[] = templates.map(({ id, title }) => ({ id, title, left: left(id) > 0 ? fill(t.left, { count: left(id) }) : t.left_none }))
  const fewest = templates.map(({ id }) => id).sort((one, other) => left(one) - left(other))
  const together = fewest.slice(0, MOST_TOGETHER)
  return { kinds, together, togetherWords: fill(t.more_together, { count: together.length }) }
}

export function sheetShown(sheet: Sheet, cities: City[], profile: Profile | null, t: Words) {
  const hours = (values: string[]): Choice[] => values.map((value) => ({ value, label: value }))
  const choices = {
    city: cities.map(({ code, name }) => ({ value: code, label: name })),
    quiet_from: hours(QUIET_FROM),
    quiet_to: hours(QUIET_TO),
  }
  const heading = { city: t.city, quiet_from: t.quiet_from, quiet_to: t.quiet_to }
  return { sheet, heading: heading[sheet], choices: choices[sheet], picked: profile?.[sheet] ?? '' }
}

/** The change that a pick in a sheet makes. */
export function changeOf(sheet: Sheet, value: string, now: Profile): ProfileChange {
  if (sheet === 'city') return { city: value, county: null }
  return sheet === 'quiet_to' ? { quiet_to: value } : { quiet_from: value, quiet_to: now.quiet_to ?? '07:00' }
}
