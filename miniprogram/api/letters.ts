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

export interface Subscriptions {
  remaining: Record<string, number>
}
