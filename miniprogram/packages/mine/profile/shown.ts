/** The profile as its page shows it. */
import type { City, Profile } from '../../../api/shapes'
import type { Choice } from '../../../logic/choices'
import { choicesOf, nameOfPlace } from '../../../logic/places'
import type { words } from '../../../texts/index'
import { noteOf } from './portrait'

type Words = ReturnType<typeof words<'profile'>>

/** The name in force, or the one that waits for its check. */
export const nameOf = (profile: Profile): string => profile.pending_nickname ?? profile.nickname ?? ''

export const shownOf = (profile: Profile, cities: City[], t: Words) => ({
  profile,
  name: nameOf(profile),
  city: nameOfPlace(cities, profile.city) || t.choose,
  county: nameOfPlace(cities, profile.county) || t.choose,
  phone: profile.phone_masked ?? t.phone_none,
  avatarNote: noteOf(profile.avatar_state, t),
})

/** The cities, or the counties of one, and first of all none of them. */
export const placesOrNone = (cities: City[], city: string | null, t: Words): Choice[] => [
  { value: '', label: t.no_place },
  ...choicesOf(cities, city),
]
