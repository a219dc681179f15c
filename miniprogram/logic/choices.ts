/** Fixed choices of the profile and of the subscription settings. */
import type { Audience } from '../api/shapes'

export const AUDIENCES: Audience[] = ['youth', 'farmer', 'worker', 'official', 'elder']
export const QUIET_FROM = ['20:00', '21:00', '22:00', '23:00']
export const QUIET_TO = ['06:00', '07:00', '08:00', '09:00']

export interface Choice {
  value: string
  label: string
}
