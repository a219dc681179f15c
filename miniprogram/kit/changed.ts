/** Calls setData only with changed values: clocks tick often, but rarely change a text. */

interface Shows {
  data: Record<string, unknown>
  setData(changes: Record<string, unknown>): void
}

/** Sets the values that differ from the page's data. */
export function setChanged(page: Shows, values: Record<string, string | number | boolean>): void {
  const changes = Object.fromEntries(Object.entries(values).filter(([name, value]) => page.data[name] !== value))
  if (Object.keys(changes).length > 0) page.setData(changes)
}
