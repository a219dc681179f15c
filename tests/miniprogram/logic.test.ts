import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Attempt, Board, BoardLine, Contest } from '../../miniprogram/api/shapes'
import { contestOf } from '../../miniprogram/logic/contests'
import { base64 } from '../../miniprogram/logic/base64'
import { clockFace, urgency } from '../../miniprogram/logic/countdown'
import * as dates from '../../miniprogram/logic/dates'
import { kmBetween, nearestFirst, wholeKm } from '../../miniprogram/logic/distance'
import { lookOf } from '../../miniprogram/logic/elder'
import { pointsBetween, sayDuration, sayScore, saySpan, timeBetween } from '../../miniprogram/logic/figures'
import { fill } from '../../miniprogram/logic/fill'
import { NOWHERE, ownRow, placesOf, rowsOf, scopeOf } from '../../miniprogram/logic/ranking'
import { standingOf } from '../../miniprogram/logic/standing'
import { markedOf, sameKeys } from '../../miniprogram/logic/review'
import { offsetAfter } from '../../miniprogram/platform/offset'

const at = (text: string): number => Date.parse(text)

test('instants and days are said in Chinese and in Beijing time', () => {
  const now = at('2026-12-31T15:59:59Z')
  assert.equal(dates.sayInstant('2026-05-01T01:05:00Z', now), '5月1日 09:05')
  assert.equal(dates.sayInstant('2026-12-31T16:00:00Z', now), '2027年1月1日 00:00')
  assert.equal(dates.sayInstant('2026-12-31T16:00:00Z', now + 1000), '1月1日 00:00')
  assert.equal(dates.sayEnd('2026-12-31T16:00:00Z', now), '12月31日 24:00')
  assert.equal(dates.sayEnd('2026-12-31T16:00:00Z', now + 1000), '2026年12月31日 24:00')
  assert.equal(dates.sayEnd('2026-06-21T04:00:00Z', now), '6月21日 12:00')
  assert.equal(dates.sayDay('2026-05-01'), '2026年5月1日')
  assert.equal(dates.sayStretch('2026-05-01', '2026-05-01'), '2026年5月1日')
  assert.equal(dates.sayStretch('2026-05-01', '2026-09-30'), '2026年5月1日—2026年9月30日')
  assert.equal(dates.sayStretch(null, null), '')
})

test('a page without a contest of its own takes the open one that the reader took part in', () => {
  const contest = (id: string, state: Contest['state'], best: number | null): Contest =>
    ({ id, state, me: { best_score: best } }) as Contest
  const [past, open, taken] = [contest('p', 'closed', 90), contest('o', 'open', null), contest('t', 'open', 0)]
  assert.equal(contestOf([past, open, taken])?.id, 't')
  assert.equal(contestOf([past, open])?.id, 'o')
  assert.equal(contestOf([past])?.id, 'p')
  assert.equal(contestOf([]), undefined)
})

test('times and scores are said as the server says them', () => {
  const { durations, spans, scores } = JSON.parse(readFileSync('tests/quiz/figures.json', 'utf8')) as Record<
    'durations' | 'spans' | 'scores',
    [number, string][]
  >
  assert.ok(durations.length > 5 && spans.length > 5 && scores.length > 5)
  for (const [ms, words] of durations) assert.equal(sayDuration(ms), words, String(ms))
  for (const [seconds, words] of spans) assert.equal(saySpan(seconds), words, String(seconds))
  for (const [score, words] of scores) assert.equal(sayScore(score), words, String(score))
})

test('distances are those of the shown figures, as on the server', () => {
  const table = JSON.parse(readFileSync('tests/quiz/figures.json', 'utf8')) as Record<string, [number, number, number][]>
  const { points_between: points = [], times_between: times = [] } = table
  assert.ok(points.length > 5 && times.length > 3)
  for (const [above, mine, told] of points) assert.equal(pointsBetween(above, mine), told, `${above} ${mine}`)
  for (const [mine, above, told] of times) assert.equal(timeBetween(mine, above), told, `${mine} ${above}`)
})

test('the server clock is known from the answer that travelled fastest', () => {
  assert.equal(offsetAfter(0, 5000), 5000)
  assert.equal(offsetAfter(5000, 4000), 5000)
  assert.equal(offsetAfter(5000, 5200), 5200)
  assert.equal(offsetAfter(86_400_000, 0), 0)
  assert.equal(offsetAfter(0, 86_400_000), 86_400_000)
})

test('the clock counts a begun second and ends at nought', () => {
  assert.deepEqual([300_000, 59_001, 1, 0].map(clockFace), ['5:00', '1:00', '0:01', '0:00'])
  assert.deepEqual([60_001, 60_000, 15_000].map(urgency), ['calm', 'soon', 'last'])
})

test('the look follows the font size of WeChat until the reader decides', () => {
  assert.equal(lookOf(null, 16).elder, false)
  assert.equal(lookOf(null, 20).elder, true)
  assert.equal(lookOf(false, 22).elder, false)
  assert.equal(lookOf(true, 16).klass, 'look look-elder')
  assert.equal(lookOf(null, 12).style, '--scale:1.00')
  assert.equal(lookOf(null, 40).style, '--scale:1.50')
})

test('places of a sentence are filled and unknown ones stay visible', () => {
  assert.equal(fill('{a} of {b}, {c}', { a: 1, b: 'x' }), '1 of x, {c}')
})

test('a reader has the boards of the own places, the group first', () => {
  const home = { ...NOWHERE, city: '450100', unit: 'u1', group: 'g1' }
  assert.deepEqual(placesOf(home), ['group', 'region', 'city', 'unit'])
  assert.equal(scopeOf('city', home), 'city:450100')
  assert.equal(scopeOf('county', home), null)
  assert.deepEqual(placesOf(NOWHERE), ['region'])
})

const line = (rank: number, me = false): BoardLine => ({
  rank,
  nickname: `name ${rank}`,
  avatar_url: null,
  city_name: null,
  score: 90.5,
  duration_ms: 61_000,
  me,
})

function board(items: BoardLine[], around: BoardLine[]): Board {
  const me = { rank: 60, score: 1, duration_ms: 1, around }
  return { items, me, total: 99, as_of: '2026-05-01T00:00:00Z', state: 'live', version: null }
}

test('neighbours are shown only to who is not among the first', () => {
  assert.equal(rowsOf(board([line(1)], [line(59), line(60, true)])).around.length, 2)
  assert.deepEqual(rowsOf(board([line(1, true)], [line(1, true)])).around, [])
})

test('a review marks the own and the right options', () => {
  const options = ['A', 'B', 'C'].map((key) => ({ key, text: key }))
  const [marked, ...more] = markedOf({
    questions: [
      { id: 'q1', kind: 'multiple', stem: 's', options },
      { id: 'unseen', kind: 'single', stem: 's', options },
    ],
    review: [{ question_id: 'q1', chosen: ['A'], correct: ['A', 'C'], explanation: 'why', voided: true }],
  } as unknown as Attempt)
  assert.equal(more.length, 0)
  assert.equal(marked?.right, false)
  assert.equal(marked?.voided, true)
  assert.deepEqual(
    marked?.options.map(({ chosen, correct }) => [chosen, correct]),
    [
      [true, true],
      [false, false],
      [false, true],
    ],
  )
  assert.equal(sameKeys(['B', 'A'], ['A', 'B']), true)
  assert.equal(sameKeys(['A'], ['A', 'B']), false)
})

const WORDS = {
  total: 'T{score}', place: 'P{rank}', behind: 'B{score}', behind_time: 'M{time}', behind_tie: 'tie', first: 'first', held: 'held',
}
const me = (total: number | null, rank: number | null, behind: number | null, ms: number | null = null) =>
  standingOf({ held: false, total, rank, behind_next: behind, behind_next_ms: ms }, WORDS)

test('the total, its place and the distance to the next are said', () => {
  assert.deepEqual(me(50, 7, 5), { total: 'T50，P7', next: 'B5' })
  assert.deepEqual(me(66.6666, 1, null), { total: 'T66.66，P1', next: 'first' })
  assert.deepEqual(me(50, 2, 0, 61_500), { total: 'T50，P2', next: 'M1 分 1 秒' })
  assert.deepEqual([me(50, 2, 0, 0).next, me(50, 2, 0, 999).next], ['tie', 'tie'])
  assert.deepEqual(me(50, null, null), { total: 'T50', next: '' })
  assert.deepEqual(me(null, null, null), { total: '', next: '' })
  assert.deepEqual(standingOf(null, WORDS), { total: '', next: '' })
  const held = { held: true, total: null, rank: null, behind_next: null, behind_next_ms: null }
  assert.deepEqual(standingOf(held, WORDS), { total: 'held', next: '' })
})

test("the own line tells the place in words, and what is missing unless the contest is over", () => {
  const own = { ...line(60, true), score: 88.4 }
  const mine = { rank: 60, score: 88.4, duration_ms: 61_000, around: [line(59), own, line(61)] }
  const row = ownRow(mine, { mine: 'N{rank}' }, WORDS, false)
  assert.deepEqual([row.rank, row.name, row.city, row.score, row.time], [60, 'N60', 'B2.1', '88.4', '1 分 1 秒'])
  const equal = { ...line(59), score: 88.4, duration_ms: 59_999 }
  assert.equal(ownRow({ ...mine, around: [equal, own] }, { mine: '' }, WORDS, false).city, 'M2 秒')
  assert.equal(ownRow(mine, { mine: '' }, WORDS, true).city, '')
  assert.equal(ownRow({ ...mine, around: [] }, { mine: '' }, WORDS, false).city, '')
  assert.equal(ownRow({ ...mine, rank: 1, around: [line(1, true)] }, { mine: '' }, WORDS, false).city, 'first')
})

test('a long time left has hours', () => {
  assert.deepEqual([7_199_000, 7_200_000, 86_399_001].map(clockFace), ['119:59', '2:00:00', '24:00:00'])
})

test('an occasion names its weekday, and both days where it ends on another', () => {
  const now = Date.parse('2026-05-01T09:00:00+08:00')
  assert.equal(dates.sayOccasion('2026-05-01T15:00:00+08:00', '2026-05-01T17:00:00+08:00', now), '5月1日 周五 15:00—17:00')
  assert.equal(dates.sayOccasion('2026-05-01T22:00:00+08:00', '2026-05-02T00:00:00+08:00', now), '5月1日 周五 22:00—24:00')
  assert.equal(dates.sayOccasion('2026-05-01T22:00:00+08:00', '2026-05-02T01:00:00+08:00', now), '5月1日 周五 22:00 至 5月2日 01:00')
  assert.deepEqual(dates.daysFrom(Date.parse('2026-04-29T23:30:00+08:00'), 3), ['2026-04-29', '2026-04-30', '2026-05-01'])
  assert.equal(dates.sayShortDay('2026-05-03'), '周日 5月3日')
})

test('distances are those of a map, and rows without a point come last', () => {
  const [nanning, liuzhou] = [{ latitude: 22.8167, longitude: 108.3669 }, { latitude: 24.3264, longitude: 109.4281 }]
  assert.ok(Math.abs(kmBetween(nanning, liuzhou) - 200) < 2, String(kmBetween(nanning, liuzhou)))
  assert.equal(kmBetween(nanning, nanning), 0)
  assert.deepEqual([0, 0.4, 1.6, 200.4].map(wholeKm), [1, 1, 2, 200])
  const rows = [null, liuzhou, null, nanning]
  assert.deepEqual(nearestFirst(rows, (one) => one, nanning), [nanning, liuzhou, null, null])
})

test('base64 is that of the platform', () => {
  for (const text of ['', 'a', 'ab', 'abc', '<svg xmlns="x"/>~']) assert.equal(base64(text), Buffer.from(text).toString('base64'))
})
