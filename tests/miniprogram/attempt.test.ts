import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt, Question } from '../../miniprogram/api/shapes'
import * as papers from '../../miniprogram/logic/attempt'

const NOW = Date.parse('2026-05-01T09:00:00+08:00')

const question = (id: string, kind: Question['kind'] = 'single'): Question => ({
  id,
  kind,
  stem: `stem ${id}`,
  options: ['A', 'B', 'C'].map((key) => ({ key, text: key })),
})

const attempt = (changes: Partial<Attempt> = {}): Attempt => ({
  id: 'att',
  contest_id: 'con',
  state: 'open',
  timer: 'paper',
  deadline: '2026-05-01T09:05:00+08:00',
  remaining_ms: 300_000,
  question_count: 3,
  questions: [question('q1'), question('q2', 'multiple'), question('q3', 'judge')],
  answers: {},
  ...changes,
})

test('a paper begins at its first question with nothing to save', () => {
  const paper = papers.paperOf(attempt(), NOW)
  assert.equal(papers.current(paper).id, 'q1')
  assert.deepEqual(papers.toSave(paper), {})
  assert.equal(papers.unanswered(paper), 3)
})

test('a resumed paper goes on at the first question without an answer', () => {
  const paper = papers.paperOf(attempt({ answers: { q1: ['B'] } }), NOW)
  assert.equal(papers.current(paper).id, 'q2')
  assert.equal(papers.unanswered(paper), 2)
})

test('a resumed paper that is full stands at its last question', () => {
  const answers = { q1: ['B'], q2: ['A'], q3: ['A'] }
  assert.equal(papers.paperOf(attempt({ answers }), NOW).index, 2)
})

test('choices that never got through are taken up again and saved', () => {
  const paper = papers.paperOf(attempt({ answers: { q1: ['B'] } }), NOW, { q1: ['C'], gone: ['A'] })
  assert.deepEqual(paper.chosen, { q1: ['C'] })
  assert.deepEqual(papers.toSave(paper), { q1: ['C'] })
})

test('one of several options replaces the other', () => {
  let paper = papers.choose(papers.paperOf(attempt(), NOW), 'A')
  paper = papers.choose(paper, 'C')
  assert.deepEqual(papers.toSave(paper), { q1: ['C'] })
})

test('where several are right a tap adds and takes away, in the order of the options', () => {
  let paper = papers.goTo(papers.paperOf(attempt(), NOW), 1)
  for (const key of ['C', 'A', 'B', 'B']) paper = papers.choose(paper, key)
  assert.deepEqual(papers.toSave(paper), { q2: ['A', 'C'] })
})

test('taking the last choice away is saved as no answer', () => {
  let paper = papers.goTo(papers.paperOf(attempt(), NOW), 1)
  for (const key of ['A', 'A']) paper = papers.choose(paper, key)
  assert.deepEqual(papers.toSave(paper), { q2: [] })
  assert.equal(papers.unanswered(paper), 3)
})

test('what the server has is not saved again, what changed meanwhile is', () => {
  let paper = papers.choose(papers.paperOf(attempt(), NOW), 'A')
  const sent = papers.toSave(paper)
  assert.deepEqual(papers.saved(paper, sent).unsaved, [])
  paper = papers.choose(paper, 'B')
  assert.deepEqual(papers.toSave(papers.saved(paper, sent)), { q1: ['B'] })
})

test('a paper that is being handed in or closed takes no choice', () => {
  const open = papers.paperOf(attempt(), NOW)
  assert.deepEqual(papers.choose(papers.inPhase(open, 'handing_in'), 'A').chosen, {})
  const closed = papers.paperOf(attempt({ state: 'expired' }), NOW)
  assert.equal(closed.phase, 'closed')
  assert.deepEqual(papers.choose(closed, 'A').chosen, {})
})

test('one moves freely inside the paper and not out of it', () => {
  const paper = papers.paperOf(attempt(), NOW)
  assert.equal(papers.goTo(paper, 2).index, 2)
  assert.equal(papers.goTo(paper, 3).index, 0)
  assert.equal(papers.goTo(paper, -1).index, 0)
  assert.equal(papers.atEnd(papers.goTo(paper, 2)), true)
})

test('the time left is what the server said, whatever the phone thinks the time is', () => {
  const wrongClock = NOW + 3_600_000
  const paper = papers.paperOf(attempt({ remaining_ms: 1000 }), wrongClock)
  assert.equal(papers.timeLeft(paper, wrongClock + 400), 600)
  assert.equal(papers.isOver(paper, wrongClock + 999), false)
  assert.equal(papers.isOver(paper, wrongClock + 1000), true)
})

const timed = (id: string, deadline: string): Question => ({ ...question(id), deadline })

test('with a timer for each question the nearer end counts', () => {
  const questions = [timed('q1', '2026-05-01T09:00:30+08:00')]
  const wrongClock = NOW - 777_000
  const paper = papers.paperOf(attempt({ timer: 'item', questions }), wrongClock)
  assert.equal(papers.timeLeft(paper, wrongClock + 10_000), 20_000)
  assert.equal(papers.isOver(paper, wrongClock + 40_000), false)
})

test('with a timer for each question the next one is added and there is no way back', () => {
  const questions = [timed('q1', '2026-05-01T09:00:30+08:00')]
  let paper = papers.paperOf(attempt({ timer: 'item', questions }), NOW)
  paper = papers.withNext(paper, timed('q2', '2026-05-01T09:01:00+08:00'))
  assert.equal(papers.current(paper).id, 'q2')
  assert.equal(papers.goTo(paper, 0).index, 1)
  paper = papers.withNext(paper, timed('q2', '2026-05-01T09:01:00+08:00'))
  assert.equal(paper.questions.length, 2)
  assert.equal(papers.atEnd(paper), false)
})
