/** The ranks of a result in words: those when the paper was closed, or those on the frozen or final board. */
import type { Ranks } from '../../../api/shapes'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'

type Words = ReturnType<typeof words<'result'>>

/** The lines of ranks, the sentence about their board, and whether to ask for a city. */
export function sayRanks(ranks: Ranks | undefined, t: Words) {
  const { kind, region, city, city_name: name } = ranks ?? { kind: 'at_close', region: null, city: null, city_name: null }
  const [inRegion, inCity, boardNote] = {
    at_close: [t.rank_region, t.rank_city, ''],
    now: [t.now_region, t.now_city, ''],
    frozen: [t.frozen_region, t.frozen_city, t.frozen_note],
    final: [t.final_region, t.final_city, t.final_note],
  }[kind] as [string, string, string]
  return {
    ranks: [
      ...(region === null ? [] : [fill(inRegion, { rank: region })]),
      ...(city === null ? [] : [fill(inCity, { city: name ?? t.whole_city, rank: city })]),
    ],
    boardNote,
    noCity: region !== null && city === null,
  }
}
