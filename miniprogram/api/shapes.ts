/**
 * Types of the server's responses, limited to fields that pages read; a test compares them with
 * OpenAPI.
 */

import type { Topic } from './letters'
export type { Inbox, Letter, Subscriptions, Topic } from './letters'
export type { Page } from './pages'

/** Settings that follow the person to every phone. */
export interface Person {
  elder_mode: boolean
}

export interface Citizen extends Person {
  id: string
  is_new: boolean
  consented: boolean
  policy_version: string
}

export interface Login {
  token: string
  expires_at: string
  citizen: Citizen
}

export type Audience = 'youth' | 'farmer' | 'worker' | 'official' | 'elder'
export type Language = 'zh' | 'za'

export interface Profile {
  id: string
  nickname: string | null
  nickname_state: string
  pending_nickname: string | null
  avatar_url: string | null
  avatar_state: 'none' | 'shown' | 'checking' | 'refused' | 'unchecked' | 'unreadable'
  /** The user's own picture before it is public; the URL is valid for ten minutes. */
  avatar_preview_url: string | null
  phone_masked: string | null
  city: string | null
  city_name: string | null
  county: string | null
  county_name: string | null
  unit: string | null
  unit_name: string | null
  audience: Audience | null
  language: Language
  elder_mode: boolean
  public_rank: boolean
  topics: string[]
  muted_topics: string[]
  announcements_off: boolean
  quiet_from: string | null
  quiet_to: string | null
  under_14: boolean | null
  consented: boolean
  policy_version: string
}

export interface ProfileChange {
  nickname?: string | null
  city?: string | null
  county?: string | null
  unit?: string | null
  audience?: Audience | null
  language?: Language
  elder_mode?: boolean
  public_rank?: boolean
  topics?: string[]
  muted_topics?: string[]
  announcements_off?: boolean
  quiet_from?: string | null
  quiet_to?: string | null
  /** The number is set through WeChat's phone-number button; null removes it. */
  phone?: null
}

export interface ConsentGiven {
  policy_version: string
  guardian: boolean
  under_14: boolean
  guardian_name?: string
  guardian_relation?: string
}

export interface Consent {
  given_at: string
}

export interface Phone {
  phone_masked: string
}

export interface Held {
  exported_at: string
  held: Record<string, unknown>
}

export interface County {
  code: string
  name: string
}

export interface City {
  code: string
  name: string
  short: string
  counties: County[]
}

export interface Unit {
  id: string
  name: string
  city: string | null
}

export interface Title {
  zh: string
  za: string | null
}

export interface Organiser {
  id: string
  name: string
  role: string
}

export interface Target {
  metric: string
  percent: number
  year: number
  scope: string
  note: string
}

export interface Template {
  slug: string
  id: string
  title: string
}

export interface Campaign {
  title: Title
  theme: string
  date_text: string
  shift_weeks: number
  notice_year: number
  notice_text: string
  phone: string | null
  target: Target
  organisers: Organiser[]
  policy_version: string
  policy_date: string | null
  operator: Operator
  subscribe_templates: Template[]
  topics: Topic[]
}

/** The operator of the service; an unset fact is an empty string. */
export interface Operator {
  name: string
  address: string
  phone: string
  email: string
  complaints: string
  privacy_contact: string
}

export interface Programme {
  slug: string
  title: string
  kind: string
  form: string | null
  start: string | null
  end: string | null
  date_text: string | null
  /** State on the server's current date; null when units set the dates. */
  state: 'upcoming' | 'now' | 'past' | null
  notice_year: number
  notice_text: string
  place: string | null
  organisers: Organiser[]
  who: string[]
  what: string[]
  focus: string[]
  participants: string[]
  note: string | null
}

export interface ContestRules {
  papers_per_day: number
  question_count: number
  points_per_question: number
  max_score: number
  timer: 'paper' | 'item'
  paper_seconds: number
  seconds_per_question: number | null
  /** Questions to practise before the first paper; null when there is no warm-up. */
  warm_up_questions: number | null
  /** Groups with boards of their own, of which a player chooses one; usually empty. */
  divisions: Division[]
}

export interface Division {
  key: string
  title: string
}

export interface ContestMe {
  /** The chosen group, final after the first paper. */
  division: string | null
  /** Questions still to practise before the first paper. */
  warm_up_left: number
  attempts_left_today: number
  attempts_left_total: number | null
  best_score: number | null
  open_attempt_id: string | null
  open_remaining_ms: number | null
  held: boolean
  /** The ranked total in points; `today_score` is today's total by the same rule. */
  total: number | null
  today_score: number | null
  rank: number | null
  /** Points to the next higher rank, null for rank 1; 0 when the time decides. */
  behind_next: number | null
  behind_next_ms: number | null
}

/** A closed paper in the user's own list. */
export interface PaperRecord {
  id: string
  day: string
  state: 'submitted' | 'expired'
  score: number
  max_score: number
  correct_count: number
  question_count: number
  duration_ms: number
  /** Whether the result is on no board because suspected cheating is examined. */
  held: boolean
  appeal: 'possible' | 'waiting' | 'rejected' | null
}

export interface Contest {
  id: string
  title: string
  state: 'upcoming' | 'open' | 'closed'
  /** No new paper can be started now; open ones can be finished. */
  paused: boolean
  opens_at: string
  closes_at: string
  rules: ContestRules
  me: ContestMe | null
}

export interface RuleSentence {
  name: string
  text: string
}

export interface RulesPage {
  title: string
  rules_version: string
  valid_from: string
  sentences: RuleSentence[]
}

export interface Option {
  key: string
  text: string
}

/** The picture of a question; `alt` is its text for screen readers, sizes are in pixels. */
export interface Picture {
  url: string
  alt: string
  width: number
  height: number
}

export interface Question {
  id: string
  kind: 'single' | 'multiple' | 'judge'
  stem: string
  options: Option[]
  picture?: Picture
  /** Present only when each question has its own timer. */
  deadline?: string
}

export type Answers = Record<string, string[]>

export interface Review {
  question_id: string
  chosen: string[]
  correct: string[]
  explanation: string
  voided: boolean
}

export interface Ranks {
  kind: 'at_close' | 'frozen' | 'now' | 'final'
  region: number | null
  city: number | null
  city_name: string | null
}

export interface Attempt {
  id: string
  contest_id: string
  state: 'open' | 'submitted' | 'expired'
  timer: 'paper' | 'item'
  deadline: string
  remaining_ms: number
  question_count: number
  questions: Question[]
  answers: Answers
  score?: number
  max_score?: number
  correct_count?: number
  duration_ms?: number
  personal_best?: number
  ranks?: Ranks
  review?: Review[]
}

export interface Result { id: string }

export interface BoardLine {
  rank: number
  nickname: string
  avatar_url: string | null
  city_name: string | null
  score: number
  duration_ms: number
  me: boolean
}

export interface BoardMe {
  rank: number
  score: number
  duration_ms: number
  around: BoardLine[]
}

export interface Board {
  items: BoardLine[]
  me: BoardMe | null
  total: number
  as_of: string
  state: 'live' | 'frozen' | 'closed' | 'final'
  version: number | null
}

export interface Practice {
  id: string
  questions: Question[]
}

export interface PracticeVerdict {
  correct: boolean
  key: string[]
  explanation: string
}

export interface Share {
  id: string
  path: string
  title: string
  image_url: string
  card_url: string
}

export interface Group {
  group_id: string
}

/** A question of the wrong-answer book; options, choice and key are texts, not option keys. */
export interface Mistake {
  question_id: string
  kind: 'single' | 'multiple' | 'judge'
  stem: string
  picture?: Picture
  options: string[]
  chosen: string[]
  correct: string[]
  explanation: string
  right_in_a_row: number
}
