/** Base64 of ASCII text; mini-programs have no btoa. */

const SIGNS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export function base64(ascii: string): string {
  let out = ''
  for (let at = 0; at < ascii.length; at += 3) {
    const bytes = [0, 1, 2].map((each) => ascii.charCodeAt(at + each))
    const bits = bytes.reduce((sum, byte) => sum * 256 + (byte || 0), 0)
    const signs = [18, 12, 6, 0].map((shift) => SIGNS[(bits >> shift) & 63] as string)
    const missing = bytes.filter(Number.isNaN).length
    out += signs.slice(0, 4 - missing).join('') + '='.repeat(missing)
  }
  return out
}
