/** Sets every page's texts in the user's language and its type size. */
import { lookOf } from '../logic/elder'
import { fontSize, openPages, setTitle } from '../platform/wx'
import type { Section } from '../texts/index'
import { words } from '../texts/index'
import { settings } from './settings'

interface Dressed {
  data: { look: { klass: string }; dress: string }
  setData(changes: Record<string, unknown>): void
}

/** The initial `data` of a page: `t` are its own texts, `c` the common ones. */
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

/** Updates an open page after the user changed language or size. */
export function dress(page: Dressed, section: Exclude<Section, 'common'>): void {
  const now = dressed(section)
  if (now.dress !== page.data.dress) page.setData(now)
  setTitle(now.t.title)
}

/** Applies a changed type size to every open page. */
export function redress(): void {
  const { elder } = settings()
  for (const page of openPages()) {
    page.setData({ look: lookOf(elder, fontSize()), dress: '' })
    dressTabs(page)
  }
}

/** The custom tab bar; each tab page has its own instance. */
export interface TabBar {
  dress(route: string): void
}

interface TabPage {
  route: string
  getTabBar?(): unknown
}

/**
 * Updates the tab bar and its selected tab, which WeChat does not do. A single page has no tab bar.
 */
export function dressTabs(page: TabPage): void {
  const bar = page.getTabBar?.() as TabBar | null
  bar?.dress(page.route)
}
