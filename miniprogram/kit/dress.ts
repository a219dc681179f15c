/** The dress of every page: its words in the reader's language and the size of its type. */
import { lookOf } from '../logic/elder'
import { fontSize, openPages, setTitle } from '../platform/wx'
import type { Section } from '../texts/index'
import { words } from '../texts/index'
import { settings } from './settings'

interface Dressed {
  data: { look: { klass: string }; dress: string }
  setData(changes: Record<string, unknown>): void
}

/** The `data` that a page starts with: `t` are its own words, `c` those of all pages. */
export function dressed<S extends Section>(section: S) {
  const { language, elder } = settings()
  const look = lookOf(elder, fontSize())
  return {
    look,
    dress: `${language} ${look.klass} ${look.style}`,
    t: words(language, section),
    c: words(language, 'common'),
  }
}

/** Dresses an open page again when the reader has changed language or size meanwhile. */
export function dress(page: Dressed, section: Exclude<Section, 'common'>): void {
  const now = dressed(section)
  if (now.dress !== page.data.dress) page.setData(now)
  setTitle(now.t.title)
}

/** Gives every open page the size of type that was just learnt. */
export function redress(): void {
  const { elder } = settings()
  for (const page of openPages()) {
    page.setData({ look: lookOf(elder, fontSize()), dress: '' })
    dressTabs(page)
  }
}

/** The tab bar, as each tab page has one of its own. */
export interface TabBar {
  dress(route: string): void
}

interface TabPage {
  route: string
  getTabBar?(): unknown
}

/** The tab bar follows too, and shows whose page it is; WeChat tells it neither. A single page has none. */
export function dressTabs(page: TabPage): void {
  const bar = page.getTabBar?.() as TabBar | null
  bar?.dress(page.route)
}
