/** A phone for tests: answers come from a script, time stands still unless it is moved. */
import type { Ask, Download, Downloaded, Reply, Upload, Wire } from '../../miniprogram/platform/shape'
import { Unreachable } from '../../miniprogram/platform/shape'

type Answer = Partial<Reply> | 'no network'

export class FakeWire implements Wire {
  readonly asked: Ask[] = []
  readonly uploaded: Upload[] = []
  readonly downloaded: Download[] = []
  readonly waited: number[] = []
  readonly kept = new Map<string, unknown>()
  codes = 0
  at = Date.parse('2026-05-01T09:00:00+08:00')
  loggable = true
  private readonly answers: Answer[] = []

  /** What comes next, one answer a request; without a script everything is 200 and empty. */
  will(...answers: Answer[]): this {
    this.answers.push(...answers)
    return this
  }

  async send(ask: Ask): Promise<Reply> {
    this.asked.push(ask)
    return this.next()
  }
  async upload(file: Upload): Promise<Reply> {
    this.uploaded.push(file)
    return this.next()
  }
  async download(file: Download): Promise<Downloaded> {
    this.downloaded.push(file)
    const { status } = await this.next()
    return { status, path: 'http://tmp/file' }
  }
  async loginCode(): Promise<string> {
    this.codes += 1
    return `code-${this.codes}`
  }
  canLogIn(): boolean {
    return this.loggable
  }
  read<T>(key: string): T | null {
    return (this.kept.get(key) as T | undefined) ?? null
  }
  write(key: string, value: unknown): boolean {
    this.kept.set(key, value)
    return true
  }
  drop(key: string): void {
    this.kept.delete(key)
  }
  now(): number {
    return this.at
  }
  setServerTime(at: number): void {
    this.at = at
  }
  async wait(ms: number): Promise<void> {
    this.waited.push(ms)
  }

  private async next(): Promise<Reply> {
    const answer = this.answers.shift() ?? {}
    // The phone answers later, never within the call itself.
    await new Promise((resolve) => setImmediate(resolve))
    if (answer === 'no network') throw new Unreachable('request:fail')
    return { status: 200, data: {}, headers: {}, ...answer }
  }
}

export const login = (token: string): Answer => ({
  data: {
    token,
    expires_at: '2026-05-08T09:00:00+08:00',
    citizen: { id: 'c', is_new: false, consented: true, policy_version: '1' },
  },
})

export const refusal = (status: number, code: string, detail = ''): Answer => ({
  status,
  data: { status, code, detail },
})
