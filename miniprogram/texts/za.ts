/**
 * Vahcuengh (Zhuang). Contains only texts that are in public use; the rest is shown in Chinese
 * until translated. The server sends the campaign's own name, when known.
 */
import type { Partly, zh } from './zh'

/**
 * Shown in Chinese until translated: whole sections or single keys; check.mjs verifies the list.
 */
export const waiting: readonly string[] = [
  'common', 'home', 'programme', 'detail', 'round', 'rules', 'answer', 'records', 'result', 'board',
  'practice', 'mistakes', 'share', 'certificates', 'lectures', 'lecture', 'signup', 'ticket', 'gates', 'scanner', 'scans', 'guests', 'walkin', 'arrive', 'feedback', 'mine', 'consent', 'privacy', 'profile', 'unit', 'inbox', 'message', 'notice',
  'subscriptions', 'data', 'settings.title', 'settings.elder', 'settings.elder_note',
  'settings.only_here', 'settings.language', 'settings.language_zh', 'settings.language_note',
]

export const za: Partly<typeof zh> = {
  settings: { language_za: 'Vahcuengh' },
}
