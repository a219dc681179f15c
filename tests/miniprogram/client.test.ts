import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '../../miniprogram/api/client'
import { OFFLINE, Problem } from '../../miniprogram/api/problem'
import { FakeWire, login, refusal } from './wire'

const told = (ask: { headers: Record<string, string> } | undefined) => ask?.headers.Authorization

function client(wire: FakeWire): Client {
  return new Client(wire)
}

async function failing(work: Promise<unknown>): Promise<Problem> {
  const thrown = await work.then(
    () => null,
    (why: unknown) => why,
  )
  assert.ok(thrown instanceof Problem, 'a problem was expected')
  return thrown
}

test('many calls at once cost one log-in', async () => {
  const wire = new FakeWire().will(login('t1'))
  const api = client(wire)
  await Promise.all([api.call('GET', '/me'), api.call('GET', '/me/inbox'), api.call('GET', '/contests')])
  assert.equal(wire.codes, 1)
  assert.deepEqual(wire.asked.slice(1).map(told), ['Bearer t1', 'Bearer t1', 'Bearer t1'])
})

test('the server tells the time of day to whoever asks it anything', async () => {
  const at = '2027-01-01T00:00:03.500+08:00'
  const wire = new FakeWire().will({ status: 404, headers: { 'x-campaign-time': at } })
  await failing(client(wire).call('GET', '/contests', { who: 'anyone' }))
  assert.equal(wire.now(), Date.parse(at))
  wire.will({ headers: { 'x-campaign-time': 'soon' } }, {})
  await client(wire).call('GET', '/contests', { who: 'anyone' })
  await client(wire).call('GET', '/contests', { who: 'anyone' })
  assert.equal(wire.now(), Date.parse(at))
})

test('a kept token serves after a restart', async () => {
  const wire = new FakeWire().will(login('t1'))
  await client(wire).call('GET', '/me')
  await client(wire).call('GET', '/me')
  assert.equal(wire.codes, 1)
})

test('a token that is about to end is renewed before it is used', async () => {
  const wire = new FakeWire().will(login('t1'), {}, login('t2'))
  const api = client(wire)
  await api.call('GET', '/me')
  wire.at = Date.parse('2026-05-08T08:59:30+08:00')
  await api.call('GET', '/me')
  assert.equal(told(wire.asked.at(-1)), 'Bearer t2')
})

test('401 leads to a fresh log-in and the same call again', async () => {
  const wire = new FakeWire().will(login('t1'), refusal(401, 'not_authenticated'), login('t2'), { data: 7 })
  assert.equal(await client(wire).call('POST', '/practice', { body: { count: 5 } }), 7)
  assert.deepEqual(
    wire.asked.map((ask) => ask.url.replace(/.*v1/, '')),
    ['/login', '/practice', '/login', '/practice'],
  )
  assert.deepEqual(wire.asked.at(-1)?.body, { count: 5 })
})

test('two calls refused with one token share one new log-in', async () => {
  const wire = new FakeWire().will(login('t1'), {})
  const api = client(wire)
  await api.call('GET', '/me')
  wire.will(refusal(401, 'not_authenticated'), refusal(401, 'not_authenticated'), login('t2'))
  await Promise.all([api.call('GET', '/me'), api.call('GET', '/me')])
  assert.equal(wire.codes, 2)
})

test('a second 401 is told and not tried for ever', async () => {
  const no = refusal(401, 'not_authenticated')
  const wire = new FakeWire().will(login('t1'), no, login('t2'), no)
  assert.equal((await failing(client(wire).call('GET', '/me'))).status, 401)
  assert.equal(wire.codes, 2)
})

test('reading is repeated when the network stumbles', async () => {
  const wire = new FakeWire().will('no network', { status: 503 }, { data: 1 })
  assert.equal(await client(wire).call('GET', '/campaign', { who: 'anyone' }), 1)
  assert.deepEqual(wire.waited, [400, 1200])
})

test('an act with a key is repeated under the same key', async () => {
  const wire = new FakeWire().will(login('t'), 'no network', { status: 201 })
  await client(wire).call('POST', '/contests/c/attempts', { body: {}, key: 'k1' })
  const keys = wire.asked.slice(1).map((ask) => ask.headers['Idempotency-Key'])
  assert.deepEqual(keys, ['k1', 'k1'])
})

test('an act without a key is never repeated', async () => {
  const wire = new FakeWire().will(login('t'), 'no network')
  assert.equal((await failing(client(wire).call('POST', '/visits', { body: {} }))).code, OFFLINE)
  assert.equal(wire.asked.length, 2)
})

test('without any network the problem is called offline', async () => {
  const wire = new FakeWire().will('no network', 'no network', 'no network')
  const problem = await failing(client(wire).call('GET', '/campaign', { who: 'anyone' }))
  assert.deepEqual([problem.code, problem.status], [OFFLINE, 0])
})

test('a log-in without network is offline too', async () => {
  const wire = new FakeWire().will('no network')
  assert.equal((await failing(client(wire).call('GET', '/me'))).code, OFFLINE)
})

test('a refused log-in is told and the next call tries anew', async () => {
  const wire = new FakeWire().will(refusal(403, 'login_refused'), login('t'))
  const api = client(wire)
  assert.equal((await failing(api.call('GET', '/me'))).code, 'login_refused')
  await api.call('GET', '/me')
  assert.equal(wire.codes, 2)
})

test('a refusal carries its code and its sentence', async () => {
  const wire = new FakeWire().will(login('t'), refusal(409, 'no_attempts_left', '次数用完了'))
  const problem = await failing(client(wire).call('POST', '/x'))
  assert.deepEqual([problem.code, problem.detail, problem.status], ['no_attempts_left', '次数用完了', 409])
})

test('an answer that is no problem document still has a code', async () => {
  const wire = new FakeWire().will({ status: 413, data: '<html>' })
  const problem = await failing(client(wire).call('GET', '/campaign', { who: 'anyone' }))
  assert.equal(problem.code, 'http_413')
})

test('who cannot log in reads boards as anyone', async () => {
  const wire = new FakeWire()
  wire.loggable = false
  await client(wire).call('GET', '/contests', { who: 'either' })
  assert.equal(wire.codes, 0)
  assert.equal(told(wire.asked[0]), undefined)
})

test('while log-in is away, boards are read as anyone', async () => {
  const wire = new FakeWire().will(refusal(503, 'unavailable'), { data: { items: [] } })
  assert.deepEqual(await client(wire).call('GET', '/contests', { who: 'either' }), { items: [] })
  assert.equal(told(wire.asked.at(-1)), undefined)
})

test('a token refused while log-in is away leaves what anyone may read', async () => {
  const wire = new FakeWire().will(login('t1'), refusal(401, 'not_authenticated'), refusal(503, 'unavailable'))
  wire.will({ data: { items: [] } })
  assert.deepEqual(await client(wire).call('GET', '/contests', { who: 'either' }), { items: [] })
})

test('a query is encoded and its absent parts are left out', async () => {
  const wire = new FakeWire()
  await client(wire).call('GET', '/units', { who: 'anyone', query: { q: '科 协&', region: undefined, limit: 50 } })
  assert.match(wire.asked[0]?.url ?? '', /\/units\?q=%E7%A7%91%20%E5%8D%8F%26&limit=50$/)
})

test('a picture goes with the token and is not sent twice', async () => {
  const wire = new FakeWire().will(login('t'), 'no network')
  assert.equal((await failing(client(wire).upload('/me/avatar', '/tmp/a.png', 'image'))).code, OFFLINE)
  assert.equal(wire.uploaded.length, 1)
  assert.equal(told(wire.uploaded[0]), 'Bearer t')
})
