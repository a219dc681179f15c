/** Topics of announcements: which are on, and what a tap on one changes. */

export interface Wishes {
  /** Chosen by the citizen; notices about them may also come from the official account. */
  topics: string[]
  /** Turned off by the citizen. */
  muted_topics: string[]
}

export interface Listed {
  slug: string
  name: string
}

export interface TopicRow extends Listed {
  on: boolean
}

export function rowsOf(listed: Listed[], { muted_topics: muted }: Wishes): TopicRow[] {
  return listed.map((one) => ({ ...one, on: !muted.includes(one.slug) }))
}

/** Whether one of the listed topics was chosen for the official account too. */
export function choseAny(listed: Listed[], { topics }: Wishes): boolean {
  return listed.some(({ slug }) => topics.includes(slug))
}

/** Turns one topic on or off; while some are chosen, one that is turned on is chosen too. */
export function afterToggle(listed: Listed[], now: Wishes, slug: string, on: boolean): Wishes {
  const without = (slugs: string[]) => slugs.filter((one) => one !== slug)
  const chosen = on && choseAny(listed, now) ? [slug] : []
  return {
    topics: [...without(now.topics), ...chosen],
    muted_topics: on ? without(now.muted_topics) : [...without(now.muted_topics), slug],
  }
}

/** Chooses all topics that are on, or none of the listed ones; others stay as they are. */
export function afterChoosingAll(listed: Listed[], now: Wishes, choose: boolean): { topics: string[] } {
  const slugs = listed.map(({ slug }) => slug)
  const others = now.topics.filter((one) => !slugs.includes(one))
  const open = slugs.filter((one) => !now.muted_topics.includes(one))
  return { topics: choose ? [...others, ...open] : others }
}
