/** The server's address; the same in development, in the browser phone and in production. */
export const BASE_URL = 'https://kepu.example.org'
export const API_ROOT = '/api/v1'
/** Timeout of a request. */
export const TIMEOUT_MS = 15_000
