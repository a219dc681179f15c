/** Formats certificates and offers for the page. */
import type { Certificate, Certificates, Offer } from '../../../api/certificates'
import { dayOf, sayDay } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'

type Words = ReturnType<typeof words<'certificates'>>

export interface OfferRow extends Offer {
  key: string
}

export interface Row extends Certificate {
  holder: string
  number: string
  issued: string
  label: string
  why: string
  valid: boolean
}

export function rowOf(one: Certificate, t: Words): Row {
  return {
    ...one,
    holder: fill(t.holder, { name: one.name }),
    number: fill(t.number, { serial: one.serial }),
    issued: fill(t.issued, { day: sayDay(dayOf(Date.parse(one.issued_at))) }),
    label: fill(t.picture_of, { heading: one.heading, name: one.name, sentence: one.sentence }),
    why: one.remark && fill(t.remark, { remark: one.remark }),
    valid: one.state === 'valid',
  }
}

const keyOf = ({ kind, source }: { kind: string; source: string }): string => `${kind} ${source}`

/** The lists of the page; what belongs to the source that the user came from is first. */
export function rowsOf({ items, available }: Certificates, t: Words, source: string) {
  const wantedFirst = <T extends { source: string }>(list: T[]): T[] => [
    ...list.filter((one) => one.source === source),
    ...list.filter((one) => one.source !== source),
  ]
  return {
    offers: wantedFirst(available).map((one): OfferRow => ({ ...one, key: keyOf(one) })),
    rows: wantedFirst(items).map((one) => rowOf(one, t)),
    names: Object.fromEntries(available.map((one) => [keyOf(one), one.named ? one.name : ''])),
  }
}
