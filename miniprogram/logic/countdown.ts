/** Time left by the server's clock: its own remaining milliseconds, counted down from arrival. */

export interface Countdown {
  /** The server's end, on this phone's clock. */
  endsAt: number
  /** What to add to this phone's clock to get the server's. */
  offset: number
}

export type Urgency = 'calm' | 'soon' | 'last'

const SOON_MS = 60_000
const LAST_MS = 15_000

/** `deadline` is the server's end, `remaining` what it said was left when its answer arrived. */
export function countdown(deadline: string, remaining: number, now: number): Countdown {
  return { endsAt: now + remaining, offset: Date.parse(deadline) - remaining - now }
}

export function left(counting: Countdown, now: number): number {
  return Math.max(0, counting.endsAt - now)
}

/** What is left until another instant of the server, such as one question's own end. */
export function leftUntil(counting: Countdown, instant: string, now: number): number {
  return Math.max(0, Date.parse(instant) - (now + counting.offset))
}

export function urgency(ms: number): Urgency {
  if (ms <= LAST_MS) return 'last'
  return ms <= SOON_MS ? 'soon' : 'calm'
}

/** `4:05`; a begun second still counts, so that 0:00 means the end. */
export function clockFace(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
