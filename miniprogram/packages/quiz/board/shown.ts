/** The board page's data: the user's places and the board's rows. */
import type { Board, Contest, Division } from '../../../api/shapes'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { ownRow, placesOf, rowsOf } from '../../../logic/ranking'
import type { Home } from '../../../logic/ranking'
import type { words } from '../../../texts/index'

type Words = ReturnType<typeof words<'board'>>
type Common = ReturnType<typeof words<'common'>>

/** The selectable boards: the user's places by name, and the groups of the contest. */
export function choicesOf(home: Home, divisions: Division[], t: Words): { value: string; label: string }[] {
  const groups = divisions.map(({ key, title }) => ({ value: `division:${key}`, label: title }))
  const places = placesOf(home).map((value) => {
    if (value === 'region' || value === 'group') return { value, label: t[value] }
    if (value === 'audience') return { value, label: t[home.audience as keyof Words] ?? t.audience }
    return { value, label: home.names[value] ?? '' }
  })
  return [...places, ...groups]
}

export function shownOf(board: Board, state: Contest['state'], now: number, t: Words, c: Common) {
  const over = state === 'closed'
  return {
    ...rowsOf(board),
    own: board.me ? ownRow(board.me, t, c, over) : null,
    total: fill(t.people, { count: board.total }),
    asOf: fill(board.frozen ? t.frozen_at : t.as_of, { time: sayInstant(board.as_of, now) }),
    // A paper that is open when the contest ends may still be submitted.
    final: board.frozen ? t.final : over ? t.almost_final : '',
    finalNote: board.frozen ? t.final_note : over ? t.almost_final_note : '',
  }
}
