/** Who is logged in: one token, kept over restarts, renewed by one log-in at a time. */
import { API_ROOT, BASE_URL, TIMEOUT_MS } from '../config/env'
import type { Wire } from '../platform/shape'
import { Unreachable } from '../platform/shape'
import { OFFLINE, Problem, problemOf } from './problem'
import type { Login, Person } from './shapes'

const KEY = 'session'
/** A token is renewed a little before the server would refuse it. */
const MARGIN_MS = 60_000

interface Kept {
  token: string
  expiresAt: number
}

export class Session {
  private readonly wire: Wire
  private running: Promise<string> | null = null
  /** Hears who is logged in, at each log-in and whenever the profile is read. */
  onPerson: (person: Person) => void = () => undefined

  constructor(wire: Wire) {
    this.wire = wire
  }

  /** A living token; whoever asks while a log-in runs waits for that one. */
  async token(): Promise<string> {
    const kept = this.wire.read<Kept>(KEY)
    if (kept && kept.expiresAt - MARGIN_MS > this.wire.now()) return kept.token
    return this.renew()
  }

  /** Drops a token that the server refused, unless a newer one is already there. */
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
