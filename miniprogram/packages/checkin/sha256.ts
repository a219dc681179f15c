/**
 * SHA-256 and HMAC (FIPS 180-4, RFC 2104) of texts in UTF-8; mini-programs have no crypto.
 */

const BLOCK = 64

/** The first 32 bits of the fractional part of a root of a prime. */
const fraction = (root: number): number => ((root - Math.floor(root)) * 2 ** 32) | 0

function firstPrimes(count: number): number[] {
  const found: number[] = []
  for (let number = 2; found.length < count; number++) if (found.every((prime) => number % prime !== 0)) found.push(number)
  return found
}

const PRIMES = firstPrimes(64)
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)))
const ROUNDS = PRIMES.map((prime) => fraction(Math.cbrt(prime)))

const turned = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

/** The bytes of a text in UTF-8; a lone surrogate becomes U+FFFD, as in other encoders. */
export function bytesOf(text: string): number[] {
  const bytes: number[] = []
  for (const sign of text) {
    const found = sign.codePointAt(0) as number
    const point = found >= 0xd800 && found <= 0xdfff ? 0xfffd : found
    if (point < 0x80) bytes.push(point)
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63))
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63))
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63))
  }
  return bytes
}

/** The message with its end mark and its length in bits, in whole blocks. */
function padded(bytes: number[]): Uint8Array {
  const length = Math.ceil((bytes.length + 9) / BLOCK) * BLOCK
  const whole = new Uint8Array(length)
  whole.set(bytes)
  whole[bytes.length] = 0x80
  const view = new DataView(whole.buffer)
  view.setUint32(length - 8, Math.floor(bytes.length / 2 ** 29))
  view.setUint32(length - 4, (bytes.length * 8) >>> 0)
  return whole
}

/** The 64 words of one block. */
function fillSchedule(words: Int32Array, view: DataView, start: number): void {
  for (let at = 0; at < 16; at++) words[at] = view.getInt32(start + at * 4)
  for (let at = 16; at < 64; at++) {
    const [far, near] = [words[at - 15] as number, words[at - 2] as number]
    const small = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3)
    const large = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10)
    words[at] = ((words[at - 16] as number) + small + (words[at - 7] as number) + large) | 0
  }
}

function mixBlock(state: number[], words: Int32Array): void {
  let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number]
  for (let at = 0; at < 64; at++) {
    const chosen = (e & f) ^ (~e & g)
    const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + chosen + (ROUNDS[at] as number) + (words[at] as number)) | 0
    const major = (a & b) ^ (a & c) ^ (b & c)
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + major) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0]
  }
  ;[a, b, c, d, e, f, g, h].forEach((word, at) => (state[at] = ((state[at] as number) + word) | 0))
}

function digestOf(bytes: number[]): number[] {
  const whole = padded(bytes)
  const view = new DataView(whole.buffer)
  const state = [...START]
  const words = new Int32Array(64)
  for (let start = 0; start < whole.length; start += BLOCK) {
    fillSchedule(words, view, start)
    mixBlock(state, words)
  }
  return state.flatMap((word) => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255))
}

const hexOf = (bytes: number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** The SHA-256 of a text, in lower-case hex. */
export const sha256 = (text: string): string => hexOf(digestOf(bytesOf(text)))

/** The HMAC-SHA-256 of a text under a key, which is a text too, in lower-case hex. */
export function hmacSha256(key: string, text: string): string {
  const given = bytesOf(key)
  const block = given.length > BLOCK ? digestOf(given) : given
  const masked = (mask: number): number[] => Array.from({ length: BLOCK }, (_, at) => (block[at] ?? 0) ^ mask)
  return hexOf(digestOf([...masked(0x5c), ...digestOf([...masked(0x36), ...bytesOf(text)])]))
}
