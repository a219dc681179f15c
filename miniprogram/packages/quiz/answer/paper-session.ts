/** One paper while it is answered: reads it, keeps what is chosen, saves it in order, hands it in. */
import { quiz } from '../../../api/index'
import { OFFLINE, Problem, codeOf } from '../../../api/problem'
import type { Answers } from '../../../api/shapes'
import * as papers from '../../../logic/attempt'
import type { Paper } from '../../../logic/attempt'
import { watched } from '../../../kit/slow'
import { freshKey, wire } from '../../../platform/wx'

/**
 * What became of answers: `slow` the network hangs; `kept_here` not sent yet, but in the phone's storage;
 * `kept_open` not sent yet, and the storage refuses, so that only the open page has them.
 */
export type Saving = 'saved' | 'slow' | 'kept_here' | 'kept_open'

/** What the page hears of its paper. */
export interface Hearer {
  saving(what: Saving): void
  /** The server takes nothing more: handed in, by the clock, or closed by another phone. */
  closed(): void
  /** The server does not take the paper, for a reason that a repetition would not change. */
  refused(why: unknown): void
}

/** A paper on its way to the server. */
export interface HandingIn {
  since: number
  /** The last try has failed; the next one comes by itself. */
  failed: boolean
}

/** What did not get through is sent again after this time, without a tap. */
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
  /** The end of the time hands in, but after a refusal not at once again. */
  private endAt = 0
  /** One key for one act: the same answers handed in, the same question opened. */
  private readonly keys = new Map<string, string>()

  constructor(id: string, hearer: Hearer) {
    this.id = id
    this.hearer = hearer
  }

  /** The paper as the server has it now, with what this phone could not save yet. */
  async read(): Promise<Paper> {
    const attempt = await quiz.attempt(this.id)
    const index = this.paper?.index
    const paper = papers.paperOf(attempt, wire.now(), wire.read<Answers>(kept(this.id)) ?? {})
    this.paper = index === undefined ? paper : papers.goTo(paper, index)
    if (paper.phase === 'closed') wire.drop(kept(this.id))
    // What the reader has handed in stays handed in, also when the server has not heard of it yet.
    else if (this.handing) this.paper = papers.inPhase(this.paper, 'handing_in')
    return this.paper
  }

  /** Takes a choice, unless the time for it is over: then it would count nothing. */
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
      // Another phone may have opened it, or handed in; what the server has decides.
      if (!(why instanceof Problem) || why.status !== 409) throw why
      const paper = await this.read()
      if (paper.phase === 'closed') this.hearer.closed()
      else if (paper.questions.length === known) throw why
    }
  }

  /** One save after the other; what does not get through goes with the next one. */
  save(): Promise<void> {
    const saving = this.saves.then(() => this.saveNow())
    // A defect in one save is reported by its caller and must not hold up the next.
    this.saves = saving.catch(() => undefined)
    return saving
  }

  /** Called as time goes by: sends again what waits for it, and hands in when the time is over. */
  goOn(now: number): void {
    if (!this.paper) return
    const due = now >= this.endAt && papers.isOver(this.paper, now)
    if (this.paper.phase === 'open' && due) void this.handIn()
    else if (now >= this.handInAt) void this.send()
    else if (now >= this.againAt) void this.save()
  }

  /** Hands in for good: what does not get through is sent again until the server has it. */
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

  /** What the server does not have yet goes to the phone's storage; false when that refuses. */
  private keep(): boolean {
    if (!this.paper || this.paper.phase === 'closed') return true
    const answers = papers.toSave(this.paper)
    if (Object.keys(answers).length > 0) return wire.write(kept(this.id), answers)
    wire.drop(kept(this.id))
    return true
  }
}

/** The network or a busy server: the same request may well be taken the next time. */
function isPassing(why: unknown): boolean {
  return why instanceof Problem && (why.code === OFFLINE || why.status >= 500 || why.status === TOO_MANY)
}
