/** One error class for every failed call, with a stable code that pages can act on. */

export const OFFLINE = 'offline'

export class Problem extends Error {
  readonly code: string
  readonly status: number
  /** The server's sentence for the citizen; empty when the server sent none. */
  readonly detail: string
  /** Further members of the refusal, such as the activity that a sign-up clashes with. */
  readonly facts: Record<string, unknown>

  constructor(code: string, status: number, detail = '', facts: Record<string, unknown> = {}) {
    super(code)
    this.code = code
    this.status = status
    this.detail = detail
    this.facts = facts
  }
}

interface ProblemBody extends Record<string, unknown> {
  code?: unknown
  detail?: unknown
}

/** Creates the problem of a response with status 400 or above. */
export function problemOf(status: number, data: unknown): Problem {
  const body = (typeof data === 'object' && data !== null ? data : {}) as ProblemBody
  const code = typeof body.code === 'string' ? body.code : `http_${status}`
  return new Problem(code, status, typeof body.detail === 'string' ? body.detail : '', body)
}

/** The code of any thrown value; `unknown` for a bug of our own. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof Problem ? thrown.code : 'unknown'
}
