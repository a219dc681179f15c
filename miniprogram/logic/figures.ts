/**
 * Formats scores and times: one rule for boards, results and records. The server has the same rule
 * for the chat in quiz/leaderboards/figures.py; tests/quiz/figures.json checks both. Figures are
 * truncated, never rounded up, so that none looks better than the value the board compares.
 */

/** `1 分 23 秒`; under a minute `23 秒`. */
export function sayDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes > 0 ? `${minutes} 分 ${seconds % 60} 秒` : `${seconds} 秒`
}

/** A time limit in whole seconds without parts of zero: `2 小时`, `5 分钟`, `3 分 20 秒`. */
export function saySpan(limit: number): string {
  const [hours, minutes, seconds] = [Math.floor(limit / 3600), Math.floor(limit / 60) % 60, limit % 60]
  const parts = [
    ...(hours > 0 ? [`${hours} 小时`] : []),
    ...(minutes > 0 ? [seconds > 0 ? `${minutes} 分` : `${minutes} 分钟`] : []),
    ...(seconds > 0 || limit === 0 ? [`${seconds} 秒`] : []),
  ]
  return parts.join(' ')
}

/** At most two decimals: `50`, `12.5`, `12.34`. The margin corrects floating-point error. */
export function sayScore(score: number): string {
  return String(hundredths(score) / 100)
}

/** The difference of two displayed scores; at least 0.01 when the real ones differ. */
export function pointsBetween(above: number, mine: number): number {
  return above <= mine ? 0 : Math.max(1, hundredths(above) - hundredths(mine)) / 100
}

/** The difference of two displayed times, in ms of whole seconds. */
export function timeBetween(mineMs: number, aboveMs: number): number {
  return (Math.floor(mineMs / 1000) - Math.floor(aboveMs / 1000)) * 1000
}

const hundredths = (score: number): number => Math.floor(score * 100 + 1e-6)
