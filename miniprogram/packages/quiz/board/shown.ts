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
  const time = sayInstant(board.as_of, now)
  const [final, finalNote] = stateWords(board, time, over, t)
  return {
    ...rowsOf(board),
    own: board.me ? ownRow(board.me, t, c, over) : null,
    total: fill(t.people, { count: board.total }),
    asOf: fill(board.state === 'live' ? t.as_of : t.frozen_at, { time }),
    final,
    finalNote,
  }
}

/** Heading and sentence about a board that is not the present one; empty for a live board. */
function stateWords(board: Board, time: string, over: boolean, t: Words): [string, string] {
  switch (board.state) {
    case 'final':
      return [t.final, fill(t.final_note, { version: board.version ?? 1, time })]
    case 'frozen':
      return [t.frozen, fill(t.frozen_note, { time })]
    case 'closed':
      return [t.closed, t.closed_note]
    default:
      // A paper that is open when the contest ends may still be submitted.
      return over ? [t.almost_final, t.almost_final_note] : ['', '']
  }
}
