/** Where the server is; the same in development, in the browser phone and in production. */
export const BASE_URL = 'https://kepu.example.org'
export const API_ROOT = '/api/v1'
/** Waiting longer than this only hides that the network is away. */
export const TIMEOUT_MS = 15_000
