/** The scans of this phone as rows, the newest first. */
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import type { words } from '../../../texts/index'
import { sayWord, toneOf } from '../scanner/wording'
import type { Tone } from '../scanner/wording'
import type { Scan } from '../scans'
import { isConflict, wordOf } from '../scans'

type Words = ReturnType<typeof words<'scans'>>
type ScannerWords = ReturnType<typeof words<'scanner'>>

export interface Row {
  nonce: string
  name: string
  when: string
  word: string
  tone: Tone
  /** Where the scan is: on this phone alone, or at the server. */
  kept: string
  saved: boolean
  conflict: string
}

function sayConflict(scan: Scan, t: Words, s: ScannerWords): string {
  if (!isConflict(scan)) return ''
  if (scan.refusal) return fill(t.refused, { sentence: scan.refusal })
  const word = scan.answer ? sayWord(scan.answer.result, scan.direction, s) : ''
  return scan.local === 'OK' ? fill(t.conflict_in, { word }) : t.conflict_out
}

function rowOf(scan: Scan, now: number, t: Words, s: ScannerWords): Row {
  const word = wordOf(scan)
  const saved = scan.answer === null && scan.refusal === ''
  const people = scan.party > 1 ? `，${fill(t.people, { count: scan.party })}` : ''
  return {
    nonce: scan.nonce,
    name: (scan.name || t.nameless) + people,
    when: sayInstant(scan.at, now),
    word: word ? sayWord(word, scan.direction, s) : '',
    tone: word ? toneOf(word) : 'wait',
    kept: scan.refusal ? '' : saved ? t.saved : t.known,
    saved,
    conflict: sayConflict(scan, t, s),
  }
}

/** All rows, and those that a person should check. */
export function rowsOf(scans: Scan[], now: number, t: Words, s: ScannerWords) {
  const rows = scans.map((scan) => rowOf(scan, now, t, s)).reverse()
  return { rows: rows.filter(({ conflict }) => !conflict), conflicts: rows.filter(({ conflict }) => conflict) }
}
