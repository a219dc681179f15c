/**
 * One gate on this phone. Every scan is stored before it is sent; without network the roster
 * answers, and the scan is sent later. The server checks every scan again, and its answer counts.
 */
import { checkin } from '../../api/index'
import type { Direction, HallCounters, Roster, ScanAnswer } from '../../api/checkin'
import { Problem } from '../../api/problem'
import { freshKey, wire } from '../../platform/wx'
import type { HeldGrant } from './keep'
import { keepCounters, keepEnded, keepRoster, keepScans, readCounters, readGrant, readRoster, readScans } from './keep'
import type { Book, HeldRoster, Judgement, LocalWord } from './roster'
import { bookOf, codeOf, isWhole, judgeTicket } from './roster'
import type { Scan } from './scans'
import { BATCH, asSent, changed, passageOf, settled, shortened, unsentOf } from './scans'

/** A queue at the entrance does not wait for a slow network. */
const SCAN_PATIENCE_MS = 4_000
const BATCH_PATIENCE_MS = 15_000
/** The age from which the roster is read again while there is network. */
const ROSTER_AGE_MS = 60_000
/** The grant was revoked, its time is over, or it is another citizen's. */
const NO_GRANT = [403, 404]
/** Refusals of a request that a repetition cannot change. */
const FINAL = [400, 409, 413, 422]

/** One scan as the staff sees it. */
export interface Outcome {
  word: LocalWord
  direction: Direction
  name: string
  party: number
  /** When and at which gate the ticket was used before, as far as known. */
  since: string | null
  gate: string | null
  /** `server`: it has answered; `phone`: the scan waits here; `nowhere`: nothing is stored. */
  kept: 'server' | 'phone' | 'nowhere'
  /** The nonce of the stored scan; empty where nothing is stored. */
  nonce: string
  /** The ticket, if the staff may decide to admit it; empty otherwise. */
  ticket: string
}

/** This phone's own clock for scans and sending alike, so that the server can correct a wrong one. */
const phoneTime = (): string => new Date().toISOString()

export class Gate {
  readonly id: string
  grant: HeldGrant | null
  scans: Scan[]
  counters: HallCounters | null
  roster: HeldRoster | null
  /** Whether the last request did not reach the server. */
  away = false
  /** Whether the phone's storage has all scans; otherwise they are only in memory. */
  stored = true
  /** Whether the last roster was refused, because a part of it was missing or changed. */
  broken = false
  private book: Book
  private rosterAt = -Infinity
  private uploading: Promise<void> | null = null

  constructor(id: string) {
    this.id = id
    this.grant = readGrant(id)
    this.scans = readScans(id)
    this.counters = readCounters(id)
    this.roster = readRoster(id)
    this.book = bookOf(this.roster)
  }

  get unsent(): number {
    return unsentOf(this.scans).length
  }
  /** Whether the grant was revoked, or its time is over. */
  get ended(): boolean {
    return !this.grant || this.grant.ended || wire.now() >= Date.parse(this.grant.expires_at)
  }

  /**
   * Judges a scanned text; null when the grant turns out to have ended.
   * Raises: Problem if the server refuses the request itself.
   */
  async scan(text: string, direction: Direction): Promise<Outcome | null> {
    const code = codeOf(text)
    if (!code) return outcomeOf({ ...UNKNOWN, word: 'BAD_SIGNATURE' }, direction)
    const known = this.judged(code, direction)
    if (this.away) return this.answerHere(code, direction, known)
    const { nonce } = this.begin(code, direction, known, null)
    await this.ask(this.scans.filter((scan) => scan.nonce === nonce), SCAN_PATIENCE_MS)
    const answer = this.scans.find((scan) => scan.nonce === nonce)?.answer
    if (answer) return ofAnswer(answer, direction)
    if (this.ended) {
      this.keep(this.scans.filter((scan) => scan.nonce !== nonce))
      return null
    }
    this.keep(changed(this.scans, nonce, { local: known.word }))
    return outcomeOf(known, direction, { kept: 'phone', nonce, ticket: mayAdmit(known) ? code : '' })
  }

  /** The server's answer to a stored scan; null before it answers. */
  answerTo(nonce: string): Outcome | null {
    const scan = this.scans.find((one) => one.nonce === nonce)
    return scan?.answer ? ofAnswer(scan.answer, scan.direction) : null
  }

  /** Admits a ticket that this phone could not check; the server checks it later. */
  admitUnchecked(ticket: string, direction: Direction): Outcome {
    const known = { ...this.judged(ticket, direction), word: 'OK' as const }
    const waiting = unsentOf(this.scans).find((scan) => scan.ticket === ticket && scan.direction === direction)
    if (waiting) this.keep(changed(this.scans, waiting.nonce, { local: 'OK' }))
    const { nonce } = waiting ?? this.begin(ticket, direction, known, 'OK')
    return outcomeOf(known, direction, { kept: 'phone', nonce })
  }

  /** Sends unsent scans, in batches; `away` and `unsent` have the outcome. */
  upload(): Promise<void> {
    this.uploading ??= this.sendBatches().finally(() => (this.uploading = null))
    return this.uploading
  }

  /** Reads the counters, and the roster if it is old. */
  async refresh(anew = false): Promise<void> {
    await this.reached(async () => {
      const { counters, opens_at: opens } = await checkin.session(this.id)
      this.count(counters)
      if (anew || wire.now() - this.rosterAt >= ROSTER_AGE_MS) this.take(await checkin.roster(this.id), opens)
    })
  }

  private judged(code: string, direction: Direction): Judgement {
    const last = (hash: string) => passageOf(this.scans, hash)
    return judgeTicket(code, direction, wire.now(), this.roster, this.book, last)
  }

  /** Judges a ticket without network: stores an admission, but no refusal, because the ticket may be scanned
   * again. */
  private answerHere(code: string, direction: Direction, known: Judgement): Outcome {
    if (known.word !== 'OK') return outcomeOf(known, direction, { ticket: mayAdmit(known) ? code : '' })
    const { nonce } = this.begin(code, direction, known, 'OK')
    return outcomeOf(known, direction, { kept: 'phone', nonce })
  }

  /** Stores a new scan before anything is sent. */
  private begin(ticket: string, direction: Direction, { hash, name, party }: Judgement, local: LocalWord | null): Scan {
    const at = phoneTime()
    const scan: Scan = { nonce: freshKey(), ticket, hash, at, direction, name, party, local, answer: null, refusal: '' }
    this.keep([...this.scans, scan])
    return scan
  }

  private keep(scans: Scan[]): void {
    this.scans = shortened(scans)
    this.stored = keepScans(this.id, this.scans)
  }
  private count(counters: HallCounters): void {
    this.counters = counters
    keepCounters(this.id, counters)
  }
  private take(given: Roster, opensAt: string): void {
    this.broken = !isWhole(given, this.grant?.roster_key ?? '')
    if (this.broken) return
    this.roster = { made_at: given.made_at, opens_at: opensAt, entries: given.entries }
    this.book = bookOf(this.roster)
    this.rosterAt = wire.now()
    keepRoster(this.id, this.roster)
  }

  private async sendBatches(): Promise<void> {
    for (let left = unsentOf(this.scans); left.length > 0; left = unsentOf(this.scans)) {
      if (!(await this.sendBatch(left.slice(0, BATCH)))) return
    }
  }

  /** Sends one batch; a scan that the server refuses must not delay the others. */
  private async sendBatch(batch: Scan[]): Promise<boolean> {
    try {
      return await this.ask(batch, BATCH_PATIENCE_MS)
    } catch (why) {
      if (!(why instanceof Problem)) throw why
      if (batch.length === 1) this.keep(changed(this.scans, (batch[0] as Scan).nonce, { ticket: '', refusal: why.detail || why.code }))
      else for (const scan of batch) if (!(await this.sendBatch([scan]))) return false
      return true
    }
  }

  private ask(scans: Scan[], patienceMs: number): Promise<boolean> {
    return this.reached(async () => {
      const { results, admitted, inside } = await checkin.scan(this.id, scans.map(asSent), phoneTime(), patienceMs)
      this.keep(settled(this.scans, results))
      if (this.counters) this.count({ ...this.counters, admitted, inside })
    })
  }

  /**
   * Makes a request; false without an answer, or when the grant has ended.
   * Raises: Problem for a final refusal.
   */
  private async reached(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      this.away = false
      return true
    } catch (why) {
      if (!(why instanceof Problem) || FINAL.includes(why.status)) throw why
      const over = NO_GRANT.includes(why.status)
      this.away = !over
      if (over && this.grant) this.grant = keepEnded(this.grant)
      return false
    }
  }
}

const UNKNOWN: Judgement = { word: 'UNCHECKED', hash: '', name: '', party: 1, since: null }

/** Whether the staff may decide, because only the server can check the ticket. */
const mayAdmit = ({ word }: Judgement): boolean => word === 'NOT_FOUND' || word === 'UNCHECKED'

const outcomeOf = ({ word, name, party, since }: Judgement, direction: Direction, more: Partial<Outcome> = {}): Outcome => ({
  word, direction, name, party, since, gate: null, kept: 'nowhere', nonce: '', ticket: '', ...more,
})

const ofAnswer = ({ result: word, name, people, at: since, by: gate }: ScanAnswer, direction: Direction): Outcome => ({
  word, direction, name: name ?? '', party: people ?? 1, since, gate, kept: 'server', nonce: '', ticket: '',
})
