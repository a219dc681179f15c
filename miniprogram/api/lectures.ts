/** Lectures and other dated activities: list, sign-up, offers, and the user's own tickets. */
import { BASE_URL } from '../config/env'
import type { Client } from './client'
import { postered } from './pictures'
import type { Audience, Page } from './shapes'

export type Phase = 'not_open' | 'lottery' | 'open' | 'closed' | 'postponed' | 'cancelled' | 'ended'
export type PlaceState =
  | 'confirmed' | 'offered' | 'waitlisted' | 'entered' | 'withdrawn' | 'declined' | 'expired' | 'removed' | 'called_off'

/** The user's place; `position` counts from 1 on the waitlist. */
export interface Place {
  status: PlaceState
  party_size: number
  position: number | null
  offer_expires_at: string | null
  ticket: { code: string } | null
  /** The people have come, so the place cannot be given up any more. */
  checked_in: boolean
}

export interface SignUpQuestion {
  key: string
  label: string
  /** Without options the answer is a text. */
  options: string[]
  needed: boolean
}

export interface Activity {
  id: string
  title: string
  phase: Phase
  remark: string | null
  series: { id: string; title: string } | null
  series_number: number | null
  speaker: string
  speaker_post: string
  speaker_bio: string
  abstract: string
  audiences: Audience[]
  city_name: string | null
  county_name: string | null
  venue: string
  address: string
  /** Coordinates in degrees on WeChat's map (GCJ-02). */
  latitude: number | null
  longitude: number | null
  starts_at: string
  ends_at: string
  signup_opens_at: string
  signup_closes_at: string
  seats: number
  seats_left: number
  waitlist_length: number
  waitlist_open: boolean
  party_max: number
  phone_needed: boolean
  questions: SignUpQuestion[]
  lottery: { draw_at: string; drawn_at: string | null; entered: number } | null
  live_link: string | null
  office_phone: string
  notes: string
  /** The address of the poster; in lists that of a small square of it. */
  poster: string | null
  /** The rule about absences as a sentence; null where they have no effect. */
  no_show_rule: string | null
  me: Place | null
}

export interface ActivityFilter {
  city?: string
  programme?: string
  audience?: string
  from?: string
  to?: string
  after?: string
  limit: number
}

export interface SignUpWish {
  party_size: number
  answers: Record<string, string>
  name?: string
  phone?: string
  /** The activity whose place is given up in the same step. */
  instead_of?: string
}

export interface Ticket {
  activity: string
  title: string
  venue: string
  address: string
  starts_at: string
  ends_at: string
  /** From this instant on the seat of a person who has not come may be given to others. */
  seat_kept_until?: string
  phase: Phase
  place: Place
}

/** What the user said about an activity; `rating` is 1 to 5, the best. */
export interface Feedback {
  rating: number
  text: string
}

export interface FeedbackState {
  /** Whether the user may say something now. */
  open: boolean
  given: Feedback | null
}

/** The user's absences that count now; `sentence` says them in words. */
export interface Absences {
  count: number
  sentence: string
}

export function lectures(client: Client) {
  return {
    list: async (filter: ActivityFilter): Promise<Page<Activity>> => {
      const page = await client.call<Page<Activity>>('GET', '/activities', {
        who: 'either',
        query: {
          city: filter.city, programme: filter.programme, audience: filter.audience,
          from: filter.from, to: filter.to, after: filter.after, limit: filter.limit,
        },
      })
      return { ...page, items: page.items.map(postered) }
    },
    one: async (id: string) => postered(await client.call<Activity>('GET', `/activities/${id}`, { who: 'either' })),
    signUp: (id: string, body: SignUpWish, key: string) =>
      client.call<Place>('POST', `/activities/${id}/signup`, { body, key }),
    withdraw: (id: string, key: string) =>
      client.call<void>('DELETE', `/activities/${id}/signup`, { key }),
    answerOffer: (id: string, accept: boolean, key: string) =>
      client.call<Place>('POST', `/activities/${id}/signup/offer`, { body: { accept }, key }),
    feedback: (id: string) => client.call<FeedbackState>('GET', `/activities/${id}/feedback`),
    giveFeedback: (id: string, body: { rating: number; text: string }, key: string) =>
      client.call<Feedback>('POST', `/activities/${id}/feedback`, { body, key }),
    tickets: () => client.call<{ items: Ticket[]; past: Ticket[]; absences: Absences | null }>('GET', '/me/tickets'),
    /** The address of the user's calendar feed; a repeat returns the same one. */
    openCalendar: async (): Promise<string> => BASE_URL + (await client.call<{ path: string }>('POST', '/me/calendar')).path,
    /** Withdraws the address, which answers 404 from then on. */
    endCalendar: () => client.call<void>('DELETE', '/me/calendar'),
  }
}
