/** The user's certificates: asking for one, its picture and its PDF. */
import type { Client } from './client'

export interface Detail {
  label: string
  value: string
}

export interface Certificate {
  serial: string
  kind: string
  source: string
  heading: string
  title: string
  sentence: string
  name: string
  details: Detail[]
  state: 'valid' | 'withheld' | 'revoked' | 'doubled'
  state_text: string
  remark: string
  issued_at: string
  image_url: string
  pdf_url: string
  verify_url: string
}

/** A certificate that the user may ask for; `name` is the name on it if none is entered. */
export interface Offer {
  kind: string
  source: string
  heading: string
  title: string
  sentence: string
  name: string
  /** False where the name is only a number in place of one. */
  named: boolean
}

export interface Certificates {
  items: Certificate[]
  available: Offer[]
}

export function certificates(client: Client) {
  return {
    own: () => client.call<Certificates>('GET', '/me/certificates'),
    issue: (kind: string, source: string, name: string, key: string) =>
      client.call<Certificate>('POST', '/certificates', { body: { kind, source, name }, key }),
    /** The path of the downloaded picture or PDF on this phone. */
    file: (serial: string, form: 'png' | 'pdf') => client.download(`/certificates/${serial}.${form}`),
  }
}
