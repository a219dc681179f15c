/** One open paper: reads it, stores choices, saves them in order, submits it. */
import { quiz } from '../../../api/index'
import { OFFLINE, Problem, codeOf } from '../../../api/problem'
import type { Answers } from '../../../api/shapes'
import * as papers from '../../../logic/attempt'
import type { Paper } from '../../../logic/attempt'
import { watched } from '../../../kit/slow'
import { freshKey, wire } from '../../../platform/wx'

/**
 * State of saving: `slow` the network is slow; `kept_here` unsent, but in the phone's storage;
 * `kept_open` unsent and storage failed, so that only the open page has them.
 */
export type Saving = 'saved' | 'slow' | 'kept_here' | 'kept_open'

/** Callbacks to the page. */
export interface Hearer {
  saving(what: Saving): void
  /** The paper is closed: submitted here or on another phone, or out of time. */
  closed(): void
  /** The server refused the paper for a reason that a retry would not change. */
  refused(why: unknown): void
}

/** State of the submission. */
export interface HandingIn {
  since: number
  /** The last attempt failed; the next one starts automatically. */
  failed: boolean
}

/** Interval of automatic retries. */
const AGAIN_MS = 5_000
const TOO_MANY = 429

const kept = (id: string): string => `paper-${id}`

export class PaperSession {
  readonly id: string
  paper: Paper | null = null
  handing: HandingIn | null = null
  private readonly hearer: Hearer
  private saves = Promise.resolve()
  private againAt = Infinity
  private handInAt = Infinity
  /** No automatic submission before this instant, so that a refused one is not repeated at once. */
  private endAt = 0
  /** One idempotency key per intended request, so that a retry (same answers, same question to open) reuses it. */
  private readonly keys = new Map<string, string>()

  constructor(id: string, hearer: Hearer) {
    this.id = id
    this.hearer = hearer
  }

  /** Reads the paper from the server and adds choices that this phone could not save yet. */
  async read(): Promise<Paper> {
    const attempt = await quiz.attempt(this.id)
    const index = this.paper?.index
    const paper = papers.paperOf(attempt, wire.now(), wire.read<Answers>(kept(this.id)) ?? {})
    this.paper = index === undefined ? paper : papers.goTo(paper, index)
    if (paper.phase === 'closed') wire.drop(kept(this.id))
    // A submission in progress continues even if the server has not received it yet.
    else if (this.handing) this.paper = papers.inPhase(this.paper, 'handing_in')
    return this.paper
  }

  /** Stores a choice; ignored after the time is over, because it would not count. */
  choose(key: string): void {
    if (!this.paper || papers.timeLeft(this.paper, wire.now()) <= 0) return
    this.set((paper) => papers.choose(paper, key))
    this.keep()
    void this.save()
  }

  go(index: number): void {
    this.set((paper) => papers.goTo(paper, index))
  }

  async openNext(): Promise<void> {
    await this.save()
    const known = this.paper?.questions.length ?? 0
    try {
      const question = await quiz.next(this.id, this.keyFor(`next ${known}`))
      this.set((paper) => papers.withNext(paper, question))
    } catch (why) {
      // Another phone may have opened the question or submitted; the server's state decides.
      if (!(why instanceof Problem) || why.status !== 409) throw why
      const paper = await this.read()
      if (paper.phase === 'closed') this.hearer.closed()
      else if (paper.questions.length === known) throw why
    }
  }

  /** Saves in sequence; choices of a failed save are sent with the next one. */
  save(): Promise<void> {
    const saving = this.saves.then(() => this.saveNow())
    // The caller reports a failed save; here it must not block the next save.
    this.saves = saving.catch(() => undefined)
    return saving
  }

  /** Called on every tick: retries pending saves, and submits when the time is over. */
  goOn(now: number): void {
    if (!this.paper) return
    const due = now >= this.endAt && papers.isOver(this.paper, now)
    if (this.paper.phase === 'open' && due) void this.handIn()
    else if (now >= this.handInAt) void this.send()
    else if (now >= this.againAt) void this.save()
  }

  /** Submits the paper, and retries until the server has it. */
  async handIn(): Promise<void> {
    if (this.paper?.phase !== 'open') return
    this.set((paper) => papers.inPhase(paper, 'handing_in'))
    this.handing = { since: wire.now(), failed: false }
    await this.send()
  }

  private async send(): Promise<void> {
    if (!this.paper) return
    const answers = papers.toSave(this.paper)
    this.handInAt = Infinity
    try {
      await quiz.submit(this.id, answers, this.keyFor(`hand in ${JSON.stringify(answers)}`))
      this.set((paper) => papers.inPhase(paper, 'closed'))
      wire.drop(kept(this.id))
      this.hearer.closed()
    } catch (why) {
      if (isPassing(why) && this.handing) {
        this.handing = { ...this.handing, failed: true }
        this.handInAt = wire.now() + AGAIN_MS
      } else {
        this.handing = null
        this.endAt = wire.now() + AGAIN_MS
        this.set((paper) => papers.inPhase(paper, 'open'))
        this.hearer.refused(why)
      }
    }
  }

  private async saveNow(): Promise<void> {
    const answers = this.paper ? papers.toSave(this.paper) : {}
    this.againAt = Infinity
    if (this.paper?.phase !== 'open' || Object.keys(answers).length === 0) return
    try {
      await watched(quiz.save(this.id, answers), () => this.hearer.saving('slow'))
      this.set((paper) => papers.saved(paper, answers))
      this.keep()
      this.hearer.saving('saved')
    } catch (why) {
      if (!(why instanceof Problem)) throw why
      if (codeOf(why) === 'attempt_closed') return this.hearer.closed()
      this.againAt = wire.now() + AGAIN_MS
      this.hearer.saving(this.keep() ? 'kept_here' : 'kept_open')
    }
  }

  private keyFor(act: string): string {
    const key = this.keys.get(act) ?? freshKey()
    this.keys.set(act, key)
    return key
  }

  private set(change: (paper: Paper) => Paper): void {
    if (this.paper) this.paper = change(this.paper)
  }

  /** Writes unsaved choices to the phone's storage; false when that fails. */
  private keep(): boolean {
    if (!this.paper || this.paper.phase === 'closed') return true
    const answers = papers.toSave(this.paper)
    if (Object.keys(answers).length > 0) return wire.write(kept(this.id), answers)
    wire.drop(kept(this.id))
    return true
  }
}

/** Whether the failure is temporary (network, busy server), so that a retry can succeed. */
function isPassing(why: unknown): boolean {
  return why instanceof Problem && (why.code === OFFLINE || why.status >= 500 || why.status === TOO_MANY)
}
