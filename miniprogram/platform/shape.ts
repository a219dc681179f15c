/** What the rest of the mini-program asks of WeChat; tests give a fake of the same shape. */

/** wx.request knows no PATCH. */
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Ask {
  method: Method
  url: string
  headers: Record<string, string>
  body?: unknown
  timeoutMs: number
}

export interface Reply {
  status: number
  data: unknown
  headers: Record<string, string>
}

export interface Upload {
  url: string
  filePath: string
  field: string
  headers: Record<string, string>
}

/** The part that talks and remembers: all that the API floor needs. */
export interface Wire {
  send(ask: Ask): Promise<Reply>
  upload(file: Upload): Promise<Reply>
  /** A one-time code for the server's log-in. */
  loginCode(): Promise<string>
  /** False in the single page of a friends' circle, where nobody can log in. */
  canLogIn(): boolean
  /** Never throws: storage is a convenience, nothing may depend on it. */
  read<T>(key: string): T | null
  /** True when the phone's storage took it; the value is readable in this run in any case. */
  write(key: string, value: unknown): boolean
  drop(key: string): void
  /** The server's time in ms since 1970, as well as it is known; else the phone's. */
  now(): number
  /** Takes over the time that an answer of the server was stamped with. */
  setServerTime(at: number): void
  wait(ms: number): Promise<void>
}

/** The network did not carry the request; nothing is known about the server. */
export class Unreachable extends Error {}
