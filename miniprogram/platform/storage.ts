/**
 * Storage that never fails. WeChat's own throws when it is full (10 MB), damaged or switched off, and
 * can be emptied while the program runs; every value is therefore held in memory as well, and the
 * copy in memory decides as long as the program lives.
 */

/** What WeChat offers; every call may throw. */
export interface PhoneStorage {
  read(key: string): unknown
  write(key: string, value: unknown): void
  drop(key: string): void
  clear(): void
}

export class Storage {
  private readonly phone: PhoneStorage
  /** JSON texts, so that no caller shares an object with another; null for a dropped key. */
  private readonly held = new Map<string, string | null>()
  /** After a clear nothing is read from the phone any more, even if it kept its values. */
  private cleared = false

  constructor(phone: PhoneStorage) {
    this.phone = phone
  }

  read<T>(key: string): T | null {
    const text = this.held.get(key)
    if (text !== undefined) return text === null ? null : (JSON.parse(text) as T)
    if (this.cleared) return null
    let found: unknown = null
    try {
      // Storage answers an empty text for a key that it does not hold.
      found = this.phone.read(key) || null
    } catch {
      return null
    }
    if (found !== null) this.held.set(key, JSON.stringify(found))
    return found as T | null
  }

  /** True when the value outlives the program; false when only the copy in memory took it. */
  write(key: string, value: unknown): boolean {
    this.held.set(key, JSON.stringify(value))
    return taken(() => this.phone.write(key, value))
  }

  drop(key: string): void {
    this.held.set(key, null)
    taken(() => this.phone.drop(key))
  }

  clear(): void {
    this.held.clear()
    this.cleared = true
    taken(() => this.phone.clear())
  }
}

function taken(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
