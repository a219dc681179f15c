/** Distances on the earth, computed on the phone: the user's position is never sent. */

export interface Point {
  latitude: number
  longitude: number
}

/** Mean radius in km. Source: IUGG. */
const EARTH_KM = 6371
const radians = (degrees: number): number => (degrees * Math.PI) / 180

/** The great-circle distance of two points in km (haversine formula). */
export function kmBetween(one: Point, other: Point): number {
  const high = Math.sin(radians(other.latitude - one.latitude) / 2)
  const wide = Math.sin(radians(other.longitude - one.longitude) / 2)
  const share = high * high + Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * wide * wide
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(share)))
}

/** `1` for less than 1 km, otherwise whole km: WeChat's fuzzy position is not more exact. */
export const wholeKm = (km: number): number => Math.max(1, Math.round(km))

/** The point of an activity; null if it has none. */
export function pointOf({ latitude, longitude }: { latitude: number | null; longitude: number | null }): Point | null {
  return latitude === null || longitude === null ? null : { latitude, longitude }
}

/** Rows by distance from a position, those without a point last in their own order. */
export function nearestFirst<T>(rows: T[], pointOfRow: (row: T) => Point | null, here: Point): T[] {
  const measured = rows.map((row) => {
    const point = pointOfRow(row)
    return { row, km: point ? kmBetween(here, point) : Infinity }
  })
  return measured.sort((one, other) => (one.km === other.km ? 0 : one.km - other.km)).map(({ row }) => row)
}
