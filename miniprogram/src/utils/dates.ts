/**
 * Dates as people say them. The shops are in China, which has one time zone and no daylight saving
 * time, so every instant is shown in UTC+8 whatever the phone is set to.
 */

const ZONE_MS = 8 * 3600_000
const DAY_MS = 24 * 3600_000
const WEEK = ['周日', '周一', '周二', '周三', '周四', '周五', '周六'] as const

const two = (n: number) => String(n).padStart(2, '0')

interface Parts {
  year: number
  month: number
  day: number
  weekday: number
  hour: number
  minute: number
  second: number
  /** Whole days since 1970 in the shop's zone. */
  dayNumber: number
}

function parts(at: string | number): Parts {
  const ms = (typeof at === 'number' ? at : Date.parse(at)) + ZONE_MS
  const d = new Date(ms)
  return {
    year: d.getUTCFullYear(),
    month: d.getUTCMonth() + 1,
    day: d.getUTCDate(),
    weekday: d.getUTCDay(),
    hour: d.getUTCHours(),
    minute: d.getUTCMinutes(),
    second: d.getUTCSeconds(),
    dayNumber: Math.floor(ms / DAY_MS),
  }
}

/** 今天, 昨天, 周三 (within the last week), 11月3日, 2025年11月3日 */
export function dayLabel(at: string | number, now: number = Date.now()): string {
  const p = parts(at)
  const today = parts(now)
  const ago = today.dayNumber - p.dayNumber
  if (ago === 0) return '今天'
  if (ago === 1) return '昨天'
  if (ago === -1) return '明天'
  if (ago > 1 && ago < 7) return WEEK[p.weekday]!
  const short = `${p.month}月${p.day}日`
  return p.year === today.year ? short : `${p.year}年${short}`
}

/** 14:05 */
export function timeLabel(at: string | number): string {
  const p = parts(at)
  return `${two(p.hour)}:${two(p.minute)}`
}

/** 今天 14:05 */
export function whenLabel(at: string | number, now: number = Date.now()): string {
  return `${dayLabel(at, now)} ${timeLabel(at)}`
}

/** 2026-11-22 14:05:09, for receipts that are printed and kept. */
export function exactLabel(at: string | number): string {
  const p = parts(at)
  return `${p.year}-${two(p.month)}-${two(p.day)} ${two(p.hour)}:${two(p.minute)}:${two(p.second)}`
}

/** 2026-11-22 in the shop's zone. */
export function ymd(at: string | number): string {
  const p = parts(at)
  return `${p.year}-${two(p.month)}-${two(p.day)}`
}

/** 刚刚, 3 分钟前, 2 小时前, 4 天前 */
export function ageLabel(at: string | number, now: number = Date.now()): string {
  const ms = now - (typeof at === 'number' ? at : Date.parse(at))
  if (ms < 60_000) return '刚刚'
  if (ms < 3600_000) return `${Math.floor(ms / 60_000)} 分钟前`
  if (ms < DAY_MS) return `${Math.floor(ms / 3600_000)} 小时前`
  return `${Math.floor(ms / DAY_MS)} 天前`
}

export interface DayGroup<T> {
  day: string
  items: T[]
}

/** Splits a list that is sorted by time into runs of one day each, with the day's heading. */
export function groupByDay<T>(items: T[], at: (item: T) => string, now: number = Date.now()): DayGroup<T>[] {
  const groups: DayGroup<T>[] = []
  for (const item of items) {
    const day = dayLabel(at(item), now)
    const last = groups[groups.length - 1]
    if (last && last.day === day) last.items.push(item)
    else groups.push({ day, items: [item] })
  }
  return groups
}
