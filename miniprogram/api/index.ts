/** The API clients that pages use. */
import { wire } from '../platform/wx'
import { accounts as accountsOf } from './accounts'
import { checkin as checkinOf } from './checkin'
import { certificates as certificatesOf } from './certificates'
import { Client } from './client'
import { lectures as lecturesOf } from './lectures'
import { notices as noticesOf } from './notices'
import { programme as programmeOf } from './programme'
import { quiz as quizOf } from './quiz'
import type { Person } from './shapes'
import { shares as sharesOf } from './shares'
import { units as unitsOf } from './units'

const client = new Client(wire)

/** Registers a listener for the logged-in person. */
export function onPerson(hear: (person: Person) => void): void {
  client.session.onPerson = hear
}

export const accounts = accountsOf(client)
export const checkin = checkinOf(client)
export const certificates = certificatesOf(client)
export const lectures = lecturesOf(client)
export const notices = noticesOf(client)
export const programme = programmeOf(client)
export const quiz = quizOf(client)
export const shares = sharesOf(client)
export const units = unitsOf(client)
