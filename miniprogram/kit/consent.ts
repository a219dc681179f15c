/** The user's consent to the privacy policy; read once and cached. */
import { accounts } from '../api/index'
import { Problem } from '../api/problem'

export const CONSENT_REQUIRED = 'consent_required'

let known = false

export async function hasAgreed(): Promise<boolean> {
  known ||= (await accounts.me()).consented
  return known
}

/** Throws before a request that the server would refuse for missing consent. */
export async function mustAgree(): Promise<void> {
  if (!(await hasAgreed())) throw new Problem(CONSENT_REQUIRED, 409)
}

/** The action that was waiting for consent; it continues after consent is given. */
let wanted: (() => void) | null = null

export function afterConsent(goOn: () => void): void {
  wanted = goOn
}

/** Returns the waiting action, for the caller to run when the user is back on its page. */
export function consentGiven(): () => void {
  known = true
  const goOn = wanted
  wanted = null
  return goOn ?? (() => undefined)
}

/** Drops the waiting action, so that it cannot run later without the user expecting it. */
export function consentLeft(): void {
  wanted = null
}

/** Clears the cache after an erasure. */
export function forgetConsent(): void {
  known = false
}
