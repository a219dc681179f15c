/** Formats dates in Beijing time, whatever the phone's time zone. */

const BEIJING_MS = 8 * 3600_000

/** A Date whose UTC fields hold Beijing time. */
function beijing(at: number): Date {
  return new Date(at + BEIJING_MS)
}

const two = (number: number): string => String(number).padStart(2, '0')

/** `5月1日 09:00`; with the year if it differs from that of `now`. */
export function sayInstant(instant: string, now: number): string {
  const day = beijing(Date.parse(instant))
  return dated(day, `${two(day.getUTCHours())}:${two(day.getUTCMinutes())}`, now)
}

/** An end time: midnight is `5月1日 24:00` of the day before. The server's chat has the same rule. */
export function sayEnd(instant: string, now: number): string {
  const at = Date.parse(instant)
  const day = beijing(at)
  if (day.getUTCHours() > 0 || day.getUTCMinutes() > 0) return sayInstant(instant, now)
  return dated(beijing(at - 60_000), '24:00', now)
}

function dated(day: Date, time: string, now: number): string {
  const year = day.getUTCFullYear()
  const which = year === beijing(now).getUTCFullYear() ? '' : `${year}年`
  return `${which}${day.getUTCMonth() + 1}月${day.getUTCDate()}日 ${time}`
}

/** `2026年5月1日` for a calendar day such as 2026-05-01. */
export function sayDay(day: string): string {
  const [year, month, date] = day.split('-').map(Number)
  return `${year}年${month}月${date}日`
}

/** The period of a programme in words; empty when neither end is set. */
export function sayStretch(start: string | null, end: string | null): string {
  if (!start && !end) return ''
  if (!start || !end || start === end) return sayDay((start ?? end) as string)
  return `${sayDay(start)}—${sayDay(end)}`
}

const WEEKDAYS = ['周日', '周一', '周二', '周三', '周四', '周五', '周六']
const DAY_MS = 24 * 3600_000

/** The calendar day of an instant: `2026-05-01`. */
export function dayOf(at: number): string {
  return beijing(at).toISOString().slice(0, 10)
}

/** A list of `count` calendar days; the first is the day of the instant `at`. */
export const daysFrom = (at: number, count: number): string[] =>
  Array.from({ length: count }, (_, ahead) => dayOf(at + ahead * DAY_MS))

/** `周五 5月1日` for a calendar day. */
export function sayShortDay(day: string): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  return `${WEEKDAYS[new Date(Date.UTC(year, month - 1, date)).getUTCDay()]} ${month}月${date}日`
}

/** Start and end of an occasion: `5月1日 周五 15:00—17:00`; with both days if they differ. */
export function sayOccasion(start: string, end: string, now: number): string {
  const [from, until] = [Date.parse(start), Date.parse(end)]
  const [day, time] = sayInstant(start, now).split(' ')
  const first = `${day} ${WEEKDAYS[beijing(from).getUTCDay()]} ${time}`
  const last = sayEnd(end, now)
  return dayOf(from) === dayOf(until - 60_000) ? `${first}—${last.split(' ')[1]}` : `${first} 至 ${last}`
}
