/** The filters above the list: city, programme and audience. */
import { programme, units } from '../../../api/index'
import { AUDIENCES } from '../../../logic/choices'
import type { Choice } from '../../../logic/choices'
import { choicesOf } from '../../../logic/places'
import type { words } from '../../../texts/index'

type Words = ReturnType<typeof words<'lectures'>>
export type Filter = 'city' | 'programme' | 'audience'
export type Chosen = Record<Filter, string>

export interface FilterButton {
  name: Filter
  label: string
}

export const NONE: Chosen = { city: '', programme: '', audience: '' }
const FILTERS: Filter[] = ['city', 'programme', 'audience']

const nothing = (filter: Filter, t: Words): string =>
  ({ city: t.all_cities, programme: t.all_programmes, audience: t.all_audiences })[filter]

/** `labels` are the names of the chosen values. */
export const filtersOf = (chosen: Chosen, labels: Record<string, string>, t: Words): FilterButton[] =>
  FILTERS.map((name) => ({ name, label: labels[chosen[name]] || nothing(name, t) }))

export async function choicesFor(filter: Filter, t: Words): Promise<Choice[]> {
  return [{ value: '', label: nothing(filter, t) }, ...(await valuesOf(filter, t))]
}

async function valuesOf(filter: Filter, t: Words): Promise<Choice[]> {
  if (filter === 'audience') return AUDIENCES.map((value) => ({ value, label: t[value] }))
  if (filter === 'city') return choicesOf((await units.cities()).items, null)
  return (await programme.list({})).items.map(({ slug, title }) => ({ value: slug, label: title }))
}
