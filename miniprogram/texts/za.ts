/**
 * Vahcuengh. Only wordings that are in public use stand here; everything else waits for a
 * translator and is shown in Chinese. The campaign's own name comes from the server, when known.
 */
import type { Partly } from './index'
import type { zh } from './zh'

export const za: Partly<typeof zh> = {
  settings: { language_za: 'Vahcuengh' },
}
