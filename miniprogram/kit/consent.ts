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

/** After an erasure everything is asked anew. */
export function forgetConsent(): void {
  known = false
}
