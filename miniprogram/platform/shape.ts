/** The interface to WeChat for the rest of the program; tests implement it with a fake. */

/** wx.request does not support PATCH. */
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

export interface Download {
  url: string
  headers: Record<string, string>
}

/** A downloaded file; with a refusal the file holds the server's answer. */
export interface Downloaded {
  status: number
  path: string
}

/** Network and storage: everything the API layer needs. */
export interface Wire {
  send(ask: Ask): Promise<Reply>
  upload(file: Upload): Promise<Reply>
  download(file: Download): Promise<Downloaded>
  /** A one-time code for login at the server. */
  loginCode(): Promise<string>
  /** False in the timeline's single page, where login is impossible. */
  canLogIn(): boolean
  /** Never throws: nothing may depend on storage. */
  read<T>(key: string): T | null
  /** True when the phone stored it; the value is readable during this run in any case. */
  write(key: string, value: unknown): boolean
  drop(key: string): void
  /**
   * The best estimate of the server's time in ms since 1970; the phone's time before any response.
   */
  now(): number
  /** Updates the estimate with the timestamp of a response. */
  setServerTime(at: number): void
  wait(ms: number): Promise<void>
}

/** The request failed on the network; nothing is known about the server. */
export class Unreachable extends Error {}
