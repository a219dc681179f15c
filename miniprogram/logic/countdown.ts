/** Time left by the server's clock: its remaining milliseconds, counted down from arrival. */

export interface Countdown {
  /** The server's deadline on this phone's clock. */
  endsAt: number
  /** Server time minus phone time, in milliseconds. */
  offset: number
}

export type Urgency = 'calm' | 'soon' | 'last'

const SOON_MS = 60_000
const LAST_MS = 15_000

/** `deadline` is the server's; `remaining` is the time left in its response. */
export function countdown(deadline: string, remaining: number, now: number): Countdown {
  return { endsAt: now + remaining, offset: Date.parse(deadline) - remaining - now }
}

export function left(counting: Countdown, now: number): number {
  return Math.max(0, counting.endsAt - now)
}

/** Time left until another instant of the server, such as the end of one question. */
export function leftUntil(counting: Countdown, instant: string, now: number): number {
  return Math.max(0, Date.parse(instant) - (now + counting.offset))
}

export function urgency(ms: number): Urgency {
  if (ms <= LAST_MS) return 'last'
  return ms <= SOON_MS ? 'soon' : 'calm'
}

const two = (number: number): string => String(number).padStart(2, '0')

/** `4:05`, from two hours on `2:00:00`; rounded up to whole seconds, so that 0:00 means the end. */
export function clockFace(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  const [minutes, rest] = [Math.floor(seconds / 60), two(seconds % 60)]
  return minutes < 120 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`
}
