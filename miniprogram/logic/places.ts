/** Cities and counties as choices, and their names. */
import type { City } from '../api/shapes'
import type { Choice } from './choices'

/** The counties of a city, or the cities themselves. */
export function choicesOf(cities: City[], city: string | null): Choice[] {
  const places = city === null ? cities : (cities.find(({ code }) => code === city)?.counties ?? [])
  return places.map(({ code, name }) => ({ value: code, label: name }))
}

export function nameOfPlace(cities: City[], code: string | null): string {
  const places = cities.flatMap((city) => [{ code: city.code, name: city.name }, ...city.counties])
  return places.find((place) => place.code === code)?.name ?? ''
}
