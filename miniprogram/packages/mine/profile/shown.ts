/** The profile as the page displays it. */
import type { City, Profile } from '../../../api/shapes'
import type { Choice } from '../../../logic/choices'
import { choicesOf, nameOfPlace } from '../../../logic/places'
import type { words } from '../../../texts/index'
import { noteOf } from './portrait'

type Words = ReturnType<typeof words<'profile'>>

/** The pending name if there is one, otherwise the current one. */
export const nameOf = (profile: Profile): string => profile.pending_nickname ?? profile.nickname ?? ''

export const shownOf = (profile: Profile, cities: City[], t: Words) => ({
  profile,
  name: nameOf(profile),
  city: nameOfPlace(cities, profile.city) || t.choose,
  county: nameOfPlace(cities, profile.county) || t.choose,
  phone: profile.phone_masked ?? t.phone_none,
  avatarNote: noteOf(profile.avatar_state, t),
})

/** The cities, or the counties of one, with an empty choice first. */
export const placesOrNone = (cities: City[], city: string | null, t: Words): Choice[] => [
  { value: '', label: t.no_place },
  ...choicesOf(cities, city),
]
