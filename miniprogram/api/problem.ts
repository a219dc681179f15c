/** Every way a call can fail, as one thing with a stable code that pages can act on. */

export const OFFLINE = 'offline'

export class Problem extends Error {
  readonly code: string
  readonly status: number
  /** The server's own sentence for the citizen; empty when the server said nothing. */
  readonly detail: string

  constructor(code: string, status: number, detail = '') {
    super(code)
    this.code = code
    this.status = status
    this.detail = detail
  }
}

interface ProblemBody {
  code?: unknown
  detail?: unknown
}

/** The problem that an answer of 400 and above stands for. */
export function problemOf(status: number, data: unknown): Problem {
  const body = (typeof data === 'object' && data !== null ? data : {}) as ProblemBody
  const code = typeof body.code === 'string' ? body.code : `http_${status}`
  return new Problem(code, status, typeof body.detail === 'string' ? body.detail : '')
}

/** The code of whatever was thrown; a defect of our own is `unknown`. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof Problem ? thrown.code : 'unknown'
}
