/** Tells good from bad by sound and vibration, to people who look at the crowd and not at the screen. */
import { play, shake } from '../../platform/wx'

export function signal(good: boolean): void {
  shake(good ? 'short' : 'long')
  play(good ? '/packages/checkin/sounds/good.wav' : '/packages/checkin/sounds/bad.wav')
}
