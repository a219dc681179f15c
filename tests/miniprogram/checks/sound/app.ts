import { BASE_URL } from './config/env'

App({ server: BASE_URL })
