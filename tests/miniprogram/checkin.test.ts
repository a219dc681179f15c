import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { Roster, RosterEntry, ScanAnswer, ScanWord } from '../../miniprogram/api/checkin'
import { grantCodeOf, venueCodeOf } from '../../miniprogram/packages/checkin/codes'
import { bookOf, codeOf, isWhole, judgeTicket } from '../../miniprogram/packages/checkin/roster'
import type { HeldRoster, Passage } from '../../miniprogram/packages/checkin/roster'
import type { Scan } from '../../miniprogram/packages/checkin/scans'
import { isConflict, passageOf, settled, shortened, uncounted, unsentOf } from '../../miniprogram/packages/checkin/scans'
import { hmacSha256, sha256 } from '../../miniprogram/packages/checkin/sha256'

const hashOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

test('SHA-256 and HMAC are those of Node for every length of a block and every kind of sign', () => {
  assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  for (let length = 0; length < 200; length++) {
    const text = 'K1AB'.repeat(60).slice(0, length)
    assert.equal(sha256(text), hashOf(text), String(length))
  }
  for (const text of ['韦**|3', 'é\u00df', '😀壮\ud800', 'x'.repeat(100_000)]) {
    assert.equal(sha256(text), hashOf(text))
    for (const key of ['', 'k'.repeat(64), 'k'.repeat(65), '钥匙']) assert.equal(hmacSha256(key, text), createHmac('sha256', key).update(text, 'utf8').digest('hex'))
  }
})

const CODE = 'K1AAAAAAABMNOPQRSTUVWXYZ23'
const at = (hour: string): string => `2026-06-20T${hour}:00+08:00`
const NOW = Date.parse(at('14:40'))

test('only the form of a ticket is a ticket, in whatever case and with blanks around it', () => {
  for (const text of [` ${CODE.toLowerCase()}\n`, 'K1AA AAAA ABMN OPQR STUV WXYZ 23']) assert.equal(codeOf(text), CODE)
  for (const other of ['', 'K1', `${CODE}A`, CODE.replace('K1', 'G1'), CODE.replace('A', '1'), `https://x.cn/${CODE}`]) assert.equal(codeOf(other), '')
})

test('codes of grants and venues are found bare or at the end of an address', () => {
  const [grant, venue] = [`G1${'AB'.repeat(13)}`, `V1${'CD'.repeat(12)}`]
  for (const text of [grant, ` ${grant.toLowerCase()} `, `https://kepu.example.org/g/${grant}`, `packages/checkin?scene=${grant}`]) assert.equal(grantCodeOf(text), grant)
  for (const text of [venue, `https://kepu.example.org/?code=${venue}`]) assert.equal(venueCodeOf(text), venue)
  for (const text of [venue, CODE, `x${grant}`, `${grant}A`, '']) assert.equal(grantCodeOf(text), '')
  for (const text of [grant, CODE, `x${venue}`, `${venue}A`]) assert.equal(venueCodeOf(text), '')
})

const entry = (changes: Partial<RosterEntry> = {}): RosterEntry => ({ ticket: sha256(CODE), result: 'OK', people: 2, in_at: null, name: '韦**', ...changes })
const rosterOf = (...entries: RosterEntry[]): HeldRoster => ({ made_at: at('14:30'), opens_at: at('14:00'), entries })
const judged = (roster: HeldRoster | null, changes: { direction?: 'in' | 'out'; now?: number; last?: Passage } = {}) =>
  judgeTicket(CODE, changes.direction ?? 'in', changes.now ?? NOW, roster, bookOf(roster), () => changes.last ?? null)

test('without network the roster and the own scans say who comes in', () => {
  const said = (...given: Parameters<typeof judged>) => judged(...given).word
  assert.deepEqual(judged(rosterOf(entry())), { word: 'OK', hash: sha256(CODE), name: '韦**', party: 2, since: null })
  assert.equal(said(null), 'UNCHECKED')
  assert.equal(said(rosterOf()), 'NOT_FOUND')
  for (const result of ['WAITLISTED', 'CANCELLED'] as ScanWord[]) assert.equal(said(rosterOf(entry({ result }))), result)
  assert.equal(said(rosterOf(entry()), { now: Date.parse(at('13:59')) }), 'TOO_EARLY')
  assert.deepEqual([judged(rosterOf(entry({ in_at: at('14:20') }))).word, judged(rosterOf(entry({ in_at: at('14:20') }))).since], ['ALREADY', at('14:20')])
})

test('a ticket that this phone let in stays in until it is let out, and then comes in again', () => {
  const inside = { direction: 'in', at: at('14:35') } as const
  assert.deepEqual([judged(rosterOf(entry()), { last: inside }).word, judged(null, { last: inside }).since], ['ALREADY', at('14:35')])
  assert.equal(judged(rosterOf(entry({ in_at: at('14:20') })), { last: { direction: 'out', at: at('14:38') } }).word, 'OK')
  assert.equal(judged(rosterOf(entry({ in_at: at('14:20') })), { direction: 'out' }).word, 'OK')
})

const scan = (nonce: string, changes: Partial<Scan> = {}): Scan =>
  ({ nonce, ticket: CODE, hash: nonce, at: at('14:40'), direction: 'in', name: '', party: 1, local: null, answer: null, refusal: '', ...changes })
const answer = (nonce: string, result: ScanAnswer['result'] = 'OK'): ScanAnswer => ({ nonce, result, at: at('14:40'), by: '东门', name: '莫**', people: 3 })

test('an answered scan is known to the server and has its code no more', () => {
  const scans = settled([scan('a', { local: 'OK' }), scan('b')], [answer('a')])
  assert.deepEqual([scans[0]?.ticket, scans[0]?.name, scans[0]?.party], ['', '莫**', 3])
  assert.deepEqual(unsentOf(scans).map(({ nonce }) => nonce), ['b'])
})

test('a conflict is what the staff was told otherwise than the server says', () => {
  const said = (local: Scan['local'], result: ScanAnswer['result']) => isConflict(scan('a', { local, answer: answer('a', result) }))
  assert.deepEqual([said('OK', 'OK'), said('OK', 'ALREADY'), said('OK', 'CANCELLED'), said('NOT_FOUND', 'OK'), said('CANCELLED', 'ALREADY'), said(null, 'ALREADY')], [false, true, true, true, false, false])
  assert.equal(isConflict(scan('a', { local: 'OK' })), false)
  assert.equal(isConflict(scan('a', { refusal: '不行' })), true)
})

test('old answered scans leave the list, unsent ones and conflicts never', () => {
  const old = Array.from({ length: 700 }, (_, index) => scan(`s${index}`, { answer: answer(`s${index}`) }))
  const kept = shortened([scan('unsent'), scan('conflict', { local: 'OK', answer: answer('conflict', 'ALREADY') }), ...old])
  assert.deepEqual([kept.length, kept[0]?.nonce, kept[1]?.nonce, kept[2]?.nonce, kept[501]?.nonce], [502, 'unsent', 'conflict', 's200', 's699'])
})

test('the last passage counts, and people whom the server does not know yet are counted here', () => {
  const scans = [
    scan('1', { hash: 'x', local: 'OK', party: 2, at: at('14:01') }),
    scan('2', { hash: 'x', direction: 'out', local: 'OK', party: 2, at: at('14:02') }),
    scan('3', { hash: 'x', local: 'CANCELLED', at: at('14:03') }),
    scan('4', { hash: 'y', answer: answer('4') }),
  ]
  assert.deepEqual(passageOf(scans, 'x'), { direction: 'out', at: at('14:02') })
  assert.equal(passageOf(scans, 'z'), null)
  assert.equal(uncounted(scans), 2)
})

test('a roster is whole only as it was signed', () => {
  const entries = [entry(), entry({ ticket: 'b', in_at: at('14:20') })]
  const lines = entries.map(({ ticket, result, people, in_at: since, name }) => `${ticket} ${result} ${people} ${since ?? '-'} ${name}`)
  const signature = hmacSha256('key', ['a1', at('14:30'), ...lines].join('\n'))
  const signed: Roster = { session: { id: 'a1', title: '讲座' }, made_at: at('14:30'), entries, signature }
  assert.equal(isWhole(signed, 'key'), true)
  assert.equal(isWhole(signed, 'other'), false)
  assert.equal(isWhole({ ...signed, session: { id: 'a2', title: '讲座' } }, 'key'), false)
  assert.equal(isWhole({ ...signed, entries: entries.slice(1) }, 'key'), false)
  assert.equal(isWhole({ ...signed, entries: [entry({ result: 'CANCELLED' }), ...entries.slice(1)] }, 'key'), false)
})
