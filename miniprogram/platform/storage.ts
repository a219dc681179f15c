/**
 * Storage that never fails. WeChat's own throws when it is full (10 MB), damaged or disabled, and
 * can be emptied while the program runs. Every value is therefore also held in memory, and the copy
 * in memory is the one that is read while the program runs.
 */

/** WeChat's storage; every call may throw. */
export interface PhoneStorage {
  read(key: string): unknown
  write(key: string, value: unknown): void
  drop(key: string): void
  clear(): void
}

export class Storage {
  private readonly phone: PhoneStorage
  /** Values as JSON, so that no two callers share an object; null for a removed key. */
  private readonly held = new Map<string, string | null>()
  /** After a clear, values of the phone are ignored, even if the phone failed to delete them. */
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
      // WeChat returns an empty string for a missing key.
      found = this.phone.read(key) || null
    } catch {
      return null
    }
    if (found !== null) this.held.set(key, JSON.stringify(found))
    return found as T | null
  }

  /** True when the value survives a restart; false when only the copy in memory has it. */
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
