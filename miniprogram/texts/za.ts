/**
 * Vahcuengh. Only wordings that are in public use stand here; everything else waits for a
 * translator and is shown in Chinese. The campaign's own name comes from the server, when known.
 */
import type { Partly } from './index'
import type { zh } from './zh'

/** Shown in Chinese until translated: whole sections, or single keys; the walk holds it complete. */
export const waiting: readonly string[] = [
  'common', 'home', 'programme', 'detail', 'round', 'rules', 'answer', 'records', 'result', 'board',
  'practice', 'mistakes', 'share', 'mine', 'consent', 'privacy', 'profile', 'unit', 'inbox',
  'subscriptions', 'data', 'settings.title', 'settings.elder', 'settings.elder_note',
  'settings.language', 'settings.language_zh', 'settings.language_note',
]

export const za: Partly<typeof zh> = {
  settings: { language_za: 'Vahcuengh' },
}
