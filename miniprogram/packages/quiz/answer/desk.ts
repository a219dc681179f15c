/** The paper on the desk: reads it, keeps what is chosen, saves it in order, hands it in. */
import { quiz } from '../../../api/index'
import { Problem, codeOf } from '../../../api/problem'
import type { Answers } from '../../../api/shapes'
import * as papers from '../../../logic/attempt'
import type { Paper } from '../../../logic/attempt'
import { freshKey, wire } from '../../../platform/wx'

/**
 * `kept_here`: not sent yet, but in the phone's storage; `kept_open`: not sent yet, and the storage
 * refuses, so that only the open page has it; `closed`: the server takes nothing more, by the clock or
 * because of another phone.
 */
export type Heard = 'saved' | 'kept_here' | 'kept_open' | 'closed'

/** What did not get through is sent again after this time, without a tap. */
const AGAIN_MS = 5_000

const kept = (id: string): string => `paper-${id}`

export class Desk {
  readonly id: string
  paper: Paper | null = null
  private readonly told: (heard: Heard) => void
  private saves = Promise.resolve()
  private againAt = Infinity
  private endAt = 0
  /** One key for one act: the same answers handed in, the same question opened. */
  private readonly keys = new Map<string, string>()

  constructor(id: string, told: (heard: Heard) => void) {
    this.id = id
    this.told = told
  }

  /** The paper as the server has it now, with what this phone could not save yet. */
  async read(): Promise<Paper> {
    const attempt = await quiz.attempt(this.id)
    const index = this.paper?.index
    const paper = papers.paperOf(attempt, wire.now(), wire.read<Answers>(kept(this.id)) ?? {})
    this.paper = index === undefined ? paper : papers.goTo(paper, index)
    if (paper.phase === 'closed') wire.drop(kept(this.id))
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
      if (paper.phase === 'closed') this.told('closed')
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

  /** Called as time goes by: sends again what waits for it. */
  saveAgain(now: number): void {
    if (now >= this.againAt) void this.save()
  }

  /** Whether the paper's time is over and it is to be handed in now; after a failure not at once. */
  isDue(now: number): boolean {
    if (this.paper?.phase !== 'open' || !papers.isOver(this.paper, now) || now < this.endAt) return false
    this.endAt = now + AGAIN_MS
    return true
  }

  /** After it the server has closed the paper; a paper that is being handed in is left alone. */
  async handIn(): Promise<void> {
    if (this.paper?.phase !== 'open') return
    const answers = papers.toSave(this.paper)
    this.set((paper) => papers.inPhase(paper, 'handing_in'))
    try {
      await quiz.submit(this.id, answers, this.keyFor(`hand in ${JSON.stringify(answers)}`))
      this.set((paper) => papers.inPhase(paper, 'closed'))
      wire.drop(kept(this.id))
    } catch (why) {
      this.set((paper) => papers.inPhase(paper, 'open'))
      throw why
    }
  }

  private async saveNow(): Promise<void> {
    const answers = this.paper ? papers.toSave(this.paper) : {}
    this.againAt = Infinity
    if (this.paper?.phase !== 'open' || Object.keys(answers).length === 0) return
    try {
      await quiz.save(this.id, answers)
      this.set((paper) => papers.saved(paper, answers))
      this.keep()
      this.told('saved')
    } catch (why) {
      if (!(why instanceof Problem)) throw why
      if (codeOf(why) === 'attempt_closed') return this.told('closed')
      this.againAt = wire.now() + AGAIN_MS
      this.told(this.keep() ? 'kept_here' : 'kept_open')
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
