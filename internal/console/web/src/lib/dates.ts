/**
 * Dates as people say them: 今天 14:30, 昨天 9:05, 周三 9:00, 11月3日 9:00, 2025年3月1日.
 * Clocks show China's time (one zone, no summer time) wherever the browser stands, because that is
 * the zone in which the shop counts its days.
 */

const WEEKDAYS = ['周日', '周一', '周二', '周三', '周四', '周五', '周六']
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SHOP_OFFSET_MS = 8 * HOUR_MS

interface Wall {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  weekday: number
  dayNumber: number
}

const pad = (n: number) => String(n).padStart(2, '0')

/** How an instant is said, seen from `now`. */
export function sayTime(iso: string | undefined | null, now = new Date()): string {
  const at = wallOf(iso)
  if (!at) return '—'
  const days = wallAt(now.getTime()).dayNumber - at.dayNumber
  const clock = `${at.hour}:${pad(at.minute)}`
  if (days === 0) return `今天 ${clock}`
  if (days === 1) return `昨天 ${clock}`
  if (days === -1) return `明天 ${clock}`
  if (days > 1 && days < 7) return `${WEEKDAYS[at.weekday]} ${clock}`
  if (at.year === wallAt(now.getTime()).year) return `${at.month}月${at.day}日 ${clock}`
  return `${at.year}年${at.month}月${at.day}日`
}

/** The whole instant, for tooltips, receipts and exports: 2026-11-22 14:30:05. */
export function fullTime(iso: string | undefined | null): string {
  const at = wallOf(iso)
  return at ? `${dateText(at)} ${pad(at.hour)}:${pad(at.minute)}:${pad(at.second)}` : ''
}

/** An instant as the date-time field of a form holds it, by China's clock: "2026-11-22 14:30". */
export function fieldTime(iso: string | undefined | null): string {
  return fullTime(iso).slice(0, 16)
}

/** What a date-time field holds, as an instant; undefined for an empty field. */
export function fieldInstant(text: string | undefined | null): string | undefined {
  return /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$/.test(text ?? '') ? new Date(`${text!.replace(' ', 'T')}:00+08:00`).toISOString() : undefined
}

/** A month ("2026-11") as people say it: 2026年11月. */
export function sayMonth(month: string): string {
  const [year = '', number = ''] = month.split('-')
  return `${year}年${Number(number)}月`
}

/** A calendar date ("2026-11-22") as people say it. */
export function sayDate(date: string | undefined | null, now = new Date()): string {
  const at = dateOf(date)
  if (!at) return '—'
  const today = wallAt(now.getTime())
  const days = today.dayNumber - at.dayNumber
  if (days === 0) return '今天'
  if (days === 1) return '昨天'
  const monthDay = `${at.month}月${at.day}日`
  return at.year === today.year ? `${monthDay} ${WEEKDAYS[at.weekday]}` : `${at.year}年${monthDay}`
}

/** A birthday or purchase date, without weekday games: 1990年3月1日. */
export function calendarDate(date: string | undefined | null): string {
  const at = dateOf(date)
  return at ? `${at.year}年${at.month}月${at.day}日` : '—'
}

/** "2026-11-22" → "11/22", for chart axes. */
export function axisDate(date: string): string {
  const at = dateOf(date)
  return at ? `${at.month}/${at.day}` : date
}

export function weekdayOf(date: string): string {
  const at = dateOf(date)
  return at ? (WEEKDAYS[at.weekday] ?? '') : ''
}

export function todayDate(now = new Date()): string {
  return dateText(wallAt(now.getTime()))
}

/** `date` moved by a number of days. */
export function shiftDate(date: string, days: number): string {
  const at = dateOf(date) ?? wallAt(Date.now())
  return dateText(wallAt((at.dayNumber + days) * DAY_MS - SHOP_OFFSET_MS))
}

/** A week by its Monday: 11月16日 – 22日. */
export function weekTitle(monday: string): string {
  const from = dateOf(monday)
  const to = dateOf(shiftDate(monday, 6))
  if (!from || !to) return ''
  return `${from.month}月${from.day}日 – ${from.month === to.month ? '' : `${to.month}月`}${to.day}日`
}

function wallOf(iso: string | undefined | null): Wall | null {
  if (!iso) return null
  const ms = Date.parse(iso)
  return Number.isNaN(ms) ? null : wallAt(ms)
}

function dateOf(date: string | undefined | null): Wall | null {
  return /^\d{4}-\d{2}-\d{2}$/.test(date ?? '') ? wallOf(`${date}T00:00:00+08:00`) : null
}

function wallAt(ms: number): Wall {
  const shifted = new Date(ms + SHOP_OFFSET_MS)
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
    second: shifted.getUTCSeconds(),
    weekday: shifted.getUTCDay(),
    dayNumber: Math.floor(shifted.getTime() / DAY_MS),
  }
}

function dateText(at: Wall): string {
  return `${at.year}-${pad(at.month)}-${pad(at.day)}`
}
