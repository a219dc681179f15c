/** HTTP client for the server: adds the token, logs in again on 401, repeats idempotent calls. */
import { API_ROOT, BASE_URL, TIMEOUT_MS } from '../config/env'
import type { Ask, Method, Reply, Wire } from '../platform/shape'
import { Unreachable } from '../platform/shape'
import { OFFLINE, Problem, problemOf } from './problem'
import { Session } from './session'

/** `either`: as the citizen if login is possible, otherwise anonymous. */
export type Who = 'citizen' | 'anyone' | 'either'

export interface Options {
  who?: Who
  query?: Record<string, string | number | undefined>
  body?: unknown
  /** Idempotency key: created once per screen, so that a second tap is not a second request. */
  key?: string
  /** In ms, where the user cannot wait for the usual time. */
  timeoutMs?: number
}

const DEVICE = 'device'
const PAUSES_MS = [400, 1200]
const PASSING = new Set([502, 503, 504])

export class Client {
  readonly session: Session
  private readonly wire: Wire

  constructor(wire: Wire) {
    this.wire = wire
    this.session = new Session(wire)
  }

  async call<Out>(method: Method, path: string, options: Options = {}): Promise<Out> {
    const who = options.who ?? 'citizen'
    const token = await this.tokenFor(who)
    const reply = await this.renewing(who, token, (held) => this.sent(method, path, options, held))
    return reply.data as Out
  }

  /**
   * Uploads one file as multipart; never repeated, because the user can choose the picture again.
   */
  async upload(path: string, filePath: string, field: string): Promise<void> {
    const url = BASE_URL + API_ROOT + path
    const token = await this.tokenFor('citizen')
    await this.renewing('citizen', token, (held) =>
      this.wire.upload({ url, filePath, field, headers: authorization(held) }),
    )
  }

  /** Downloads a file of the user's own; returns its path on this phone. */
  async download(path: string): Promise<string> {
    const url = BASE_URL + API_ROOT + path
    const token = await this.tokenFor('citizen')
    const reply = await this.renewing('citizen', token, async (held) => {
      const got = await this.wire.download({ url, headers: authorization(held) })
      return { status: got.status, data: got.path, headers: {} }
    })
    return reply.data as string
  }

  private async renewing(
    who: Who,
    token: string | null,
    go: (token: string | null) => Promise<Reply>,
  ): Promise<Reply> {
    try {
      let reply = this.timed(await go(token))
      if (reply.status === 401 && token !== null) {
        reply = this.timed(await go(await this.orNobody(who, this.session.tokenInsteadOf(token))))
      }
      if (reply.status >= 400) throw problemOf(reply.status, reply.data)
      return reply
    } catch (why) {
      if (why instanceof Unreachable) throw new Problem(OFFLINE, 0)
      throw why
    }
  }

  private timed(reply: Reply): Reply {
    const at = Date.parse(reply.headers['x-campaign-time'] ?? '')
    if (!Number.isNaN(at)) this.wire.setServerTime(at)
    return reply
  }

  private async tokenFor(who: Who): Promise<string | null> {
    if (who === 'anyone' || (who === 'either' && !this.wire.canLogIn())) return null
    return this.orNobody(who, this.session.token())
  }

  /** Returns null, for an anonymous call, when login fails and anyone may read the resource. */
  private async orNobody(who: Who, token: Promise<string>): Promise<string | null> {
    try {
      return await token
    } catch (why) {
      if (who === 'either' && why instanceof Problem) return null
      throw why
    }
  }

  private async sent(
    method: Method,
    path: string,
    options: Options,
    token: string | null,
  ): Promise<Reply> {
    const ask: Ask = {
      method,
      url: BASE_URL + API_ROOT + path + queryOf(options.query),
      headers: { ...headersOf(method, options, token), ...this.deviceHeader(method) },
      body: options.body,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    }
    const pauses = method === 'GET' || options.key ? PAUSES_MS : []
    for (const pause of pauses) {
      const reply = await this.tried(ask)
      if (reply && !PASSING.has(reply.status)) return reply
      await this.wire.wait(pause)
    }
    return this.wire.send(ask)
  }

  /** A random id of this installation: shows organizers when many people answer on one phone. */
  private deviceHeader(method: Method): Record<string, string> {
    if (method !== 'POST') return {}
    const known = this.wire.read<string>(DEVICE)
    const id = known ?? Array.from({ length: 32 }, randomSign).join('')
    if (known === null) this.wire.write(DEVICE, id)
    return { 'X-Device-Id': id }
  }

  private async tried(ask: Ask): Promise<Reply | null> {
    try {
      return await this.wire.send(ask)
    } catch (why) {
      if (why instanceof Unreachable) return null
      throw why
    }
  }
}

function randomSign(): string {
  return Math.floor(Math.random() * 36).toString(36)
}

function queryOf(query: Options['query']): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined)
  if (pairs.length === 0) return ''
  return '?' + pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&')
}

function headersOf(method: Method, options: Options, token: string | null) {
  const headers: Record<string, string> = authorization(token)
  if (method !== 'GET') headers['Content-Type'] = 'application/json'
  if (options.key) headers['Idempotency-Key'] = options.key
  return headers
}

function authorization(token: string | null): Record<string, string> {
  return token === null ? {} : { Authorization: `Bearer ${token}` }
}
