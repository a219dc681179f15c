/** Hands the page's picture only what is different: many clocks tick, few of them change a word. */

interface Shows {
  data: Record<string, unknown>
  setData(changes: Record<string, unknown>): void
}

/** Sets the plain values that are not shown yet. */
export function setChanged(page: Shows, values: Record<string, string | number | boolean>): void {
  const changes = Object.fromEntries(Object.entries(values).filter(([name, value]) => page.data[name] !== value))
  if (Object.keys(changes).length > 0) page.setData(changes)
}
