export const BASE_URL = 'https://kepu.example.org'
