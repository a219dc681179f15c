/** Whether the reader has agreed to the privacy rules; asked once and known from then on. */
import { accounts } from '../api/index'
import { Problem } from '../api/problem'

export const CONSENT_REQUIRED = 'consent_required'

let known = false

export async function hasAgreed(): Promise<boolean> {
  known ||= (await accounts.me()).consented
  return known
}

/** Refuses an act that the server would refuse, without troubling it. */
export async function mustAgree(): Promise<void> {
  if (!(await hasAgreed())) throw new Problem(CONSENT_REQUIRED, 409)
}

/** What the reader wanted when consent was missing; it goes on by itself once that is given. */
let wanted: (() => void) | null = null

export function afterConsent(goOn: () => void): void {
  wanted = goOn
}

/** Consent was given: what waited for it, to be called when the reader is back. */
export function consentGiven(): () => void {
  known = true
  const goOn = wanted
  wanted = null
  return goOn ?? (() => undefined)
}

/** Consent was not given: nothing is done behind the reader's back later. */
export function consentLeft(): void {
  wanted = null
}

/** After an erasure everything is asked anew. */
export function forgetConsent(): void {
  known = false
}
