/** The session: one token, stored across restarts, renewed by one login at a time. */
import { API_ROOT, BASE_URL, TIMEOUT_MS } from '../config/env'
import type { Wire } from '../platform/shape'
import { Unreachable } from '../platform/shape'
import { OFFLINE, Problem, problemOf } from './problem'
import type { Login, Person } from './shapes'

const KEY = 'session'
/** A token is renewed this long before it expires. */
const MARGIN_MS = 60_000

interface Kept {
  token: string
  expiresAt: number
}

export class Session {
  private readonly wire: Wire
  private running: Promise<string> | null = null
  /** Called with the person at each login and whenever the profile is read. */
  onPerson: (person: Person) => void = () => undefined

  constructor(wire: Wire) {
    this.wire = wire
  }

  /** Returns a valid token; concurrent callers share one login. */
  async token(): Promise<string> {
    const kept = this.wire.read<Kept>(KEY)
    if (kept && kept.expiresAt - MARGIN_MS > this.wire.now()) return kept.token
    return this.renew()
  }

  /** Replaces a token that the server refused, unless it has been replaced already. */
  async tokenInsteadOf(refused: string): Promise<string> {
    const kept = this.wire.read<Kept>(KEY)
    if (kept && kept.token !== refused) return kept.token
    this.wire.drop(KEY)
    return this.renew()
  }

  forget(): void {
    this.wire.drop(KEY)
  }

  private renew(): Promise<string> {
    this.running ??= this.logIn().finally(() => {
      this.running = null
    })
    return this.running
  }

  private async logIn(): Promise<string> {
    const reply = await this.ask().catch((why: unknown) => {
      throw why instanceof Unreachable ? new Problem(OFFLINE, 0) : why
    })
    if (reply.status >= 400) throw problemOf(reply.status, reply.data)
    const login = reply.data as Login
    this.wire.write(KEY, { token: login.token, expiresAt: Date.parse(login.expires_at) })
    this.onPerson(login.citizen)
    return login.token
  }

  private async ask() {
    const code = await this.wire.loginCode()
    return this.wire.send({
      method: 'POST',
      url: `${BASE_URL}${API_ROOT}/login`,
      headers: { 'Content-Type': 'application/json' },
      body: { code },
      timeoutMs: TIMEOUT_MS,
    })
  }
}
