/** The paper on the desk: reads it, keeps what is chosen, saves it in order, hands it in. */
import { quiz } from '../../../api/index'
import { Problem } from '../../../api/problem'
import type { Answers } from '../../../api/shapes'
import * as papers from '../../../logic/attempt'
import type { Paper } from '../../../logic/attempt'
import { freshKey, wire } from '../../../platform/wx'

export type Saving = 'saved' | 'kept_here'

const kept = (id: string): string => `paper-${id}`

export class Desk {
  readonly id: string
  paper: Paper | null = null
  private readonly key = freshKey()
  private readonly told: (saving: Saving) => void
  private saves = Promise.resolve()

  constructor(id: string, told: (saving: Saving) => void) {
    this.id = id
    this.told = told
  }

  /** The paper as the server has it now, with what this phone could not save yet. */
  async read(): Promise<Paper> {
    const attempt = await quiz.attempt(this.id)
    const index = this.paper?.index
    const paper = papers.paperOf(attempt, wire.now(), wire.read<Answers>(kept(this.id)) ?? {})
    this.paper = index === undefined ? paper : papers.goTo(paper, index)
    return this.paper
  }

  choose(key: string): void {
    this.set((paper) => papers.choose(paper, key))
    this.keep()
    void this.save()
  }

  go(index: number): void {
    this.set((paper) => papers.goTo(paper, index))
  }

  async openNext(): Promise<void> {
    await this.save()
    const question = await quiz.next(this.id, freshKey())
    this.set((paper) => papers.withNext(paper, question))
  }

  /** One save after the other; what does not get through goes with the next one. */
  save(): Promise<void> {
    this.saves = this.saves.then(() => this.saveNow())
    return this.saves
  }

  async handIn(): Promise<void> {
    const paper = this.paper
    if (!paper || paper.phase !== 'open') return
    this.paper = papers.inPhase(paper, 'handing_in')
    try {
      await quiz.submit(this.id, papers.toSave(paper), this.key)
      wire.drop(kept(this.id))
    } catch (why) {
      this.paper = papers.inPhase(paper, 'open')
      throw why
    }
  }

  private async saveNow(): Promise<void> {
    const answers = this.paper ? papers.toSave(this.paper) : {}
    if (this.paper?.phase !== 'open' || Object.keys(answers).length === 0) return
    try {
      await quiz.save(this.id, answers)
      this.set((paper) => papers.saved(paper, answers))
      this.keep()
      this.told('saved')
    } catch (why) {
      if (!(why instanceof Problem)) throw why
      this.told('kept_here')
    }
  }

  private set(change: (paper: Paper) => Paper): void {
    if (this.paper) this.paper = change(this.paper)
  }

  private keep(): void {
    if (this.paper) wire.write(kept(this.id), papers.toSave(this.paper))
  }
}
