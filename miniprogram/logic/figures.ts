/**
 * How a score and a time are said: one rule for boards, results and records. The server has the same
 * rule for the chat in quiz/leaderboards/figures.py; both are held by tests/quiz/figures.json. Figures are cut,
 * never rounded up, so that nobody reads a better one than the board compares.
 */

/** `1 分 23 秒`; under a minute `23 秒`. */
export function sayDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes > 0 ? `${minutes} 分 ${seconds % 60} 秒` : `${seconds} 秒`
}

/** At most two decimals: `50`, `12.5`, `12.34`. The margin undoes the error of a division. */
export function sayScore(score: number): string {
  return String(Math.floor(score * 100 + 1e-6) / 100)
}
