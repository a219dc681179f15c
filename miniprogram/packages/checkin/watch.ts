/** Keeps one gate up to date while its page is visible: sends waiting scans, reads new counters. */
import { keepAwake, onReconnected, wire } from '../../platform/wx'
import { Gate } from './gate'

/** The pause between two attempts to reach the server. */
const PAUSE_MS = 8_000

export class Watch {
  readonly gate: Gate
  private readonly tell: () => void
  /** The run that is current; 0 while the page is not visible. */
  private run = 0
  private runs = 0
  private deafen: () => void = () => undefined

  constructor(id: string, tell: () => void) {
    this.gate = new Gate(id)
    this.tell = tell
  }

  start(): void {
    keepAwake(true)
    this.runs += 1
    this.run = this.runs
    this.deafen = onReconnected(() => void this.catchUp())
    void this.follow(this.run)
  }
  stop(): void {
    if (this.run === 0) return
    keepAwake(false)
    this.run = 0
    this.deafen()
  }

  async catchUp(): Promise<void> {
    await this.gate.upload()
    if (!this.gate.ended) await this.gate.refresh()
    this.tell()
  }

  private async follow(run: number): Promise<void> {
    while (this.run === run && !this.gate.ended) {
      await this.catchUp()
      await wire.wait(PAUSE_MS)
    }
  }
}
