/** Finds the codes of check-in in a scanned text: a bare code, or an address that ends with one. */

/** 28 characters, of which 26 are 128 random bits. */
const GRANT = /(?:^|[/=?&#])(G1[A-Z2-7]{26})$/i
/** 26 characters: the activity, and a keyed hash of the present seconds. */
const VENUE = /(?:^|[/=?&#])(V1[A-Z2-7]{24})$/i

/** The code of a scanner grant; empty in any other text. */
export const grantCodeOf = (text: string): string => GRANT.exec(text.trim())?.[1]?.toUpperCase() ?? ''

/** The rotating code of a venue; empty in any other text. */
export const venueCodeOf = (text: string): string => VENUE.exec(text.trim())?.[1]?.toUpperCase() ?? ''
