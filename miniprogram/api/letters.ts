/** Types of the server's responses about notices and their topics. */
import type { Page } from './pages'

/** A topic of announcements. */
export interface Topic {
  slug: string
  name: string
}

export interface Letter {
  id: string
  title: string
  body: string
  /** The page to open, without leading slash. */
  page: string | null
  posted_at: string
  not_pushed_reason: string | null
  withdrawn: boolean
  read: boolean
}

export interface Inbox extends Page<Letter> {
  /** Of all pages of the list. */
  unread: number
}

/** What a channel's code leads to. */
export interface Publication {
  target: 'announcement' | 'activity'
  title: string
  text: string
  /** It was withdrawn, cancelled or postponed, and why; else empty. */
  notice: string
  publisher: string
  published_at: string
  picture_url: string | null
  /** The page about it, without leading slash. */
  page: string | null
}

export interface Subscriptions {
  remaining: Record<string, number>
}
