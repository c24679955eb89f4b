import { sayDate } from './dates'
import type { Dashboard, Takings } from './types'

export interface ShareBar extends Takings {
  percent: number
}

/** Bars against the largest one, largest first. */
export function shares(takings: Takings[]): ShareBar[] {
  const sorted = [...takings].sort((a, b) => b.amountFen - a.amountFen)
  const most = sorted[0]?.amountFen ?? 0
  return sorted.map((item) => ({ ...item, percent: most > 0 ? Math.round((item.amountFen * 100) / most) : 0 }))
}

/**
 * One sentence that sets a day against the days before it, when there are enough of them. A day that is
 * not over yet is not called worse: it says how much of an average day is reached.
 */
export function compareDays(days: Dashboard['days'], date: string, today: string): string {
  const shown = days.find((day) => day.date === date)
  const before = days.filter((day) => day.date < date).slice(-7)
  if (!shown || before.length < 3) return ''
  const average = before.reduce((sum, day) => sum + day.settledFen, 0) / before.length
  if (average === 0) return ''
  if (date === today) return `已到近 ${before.length} 天平均的 ${Math.round((shown.settledFen * 100) / average)}%`
  const change = Math.round(((shown.settledFen - average) * 100) / average)
  if (Math.abs(change) < 3) return `和近 ${before.length} 天差不多`
  return `比近 ${before.length} 天平均${change > 0 ? '高' : '低'} ${Math.abs(change)}%`
}

/** What a chart shows, said in one sentence: its text alternative. */
export function busiestHour(hourly: Dashboard['hourly']): string {
  const best = hourly.reduce((top, hour) => (hour.settledFen > top.settledFen ? hour : top), { hour: -1, settledFen: 0, topupFen: 0 })
  return best.hour < 0 ? '还没有结算' : `${best.hour} 点最忙`
}

export function bestDay(days: Dashboard['days']): string {
  const best = days.reduce((top, day) => (day.settledFen > top.settledFen ? day : top), { date: '', settledFen: 0, topupFen: 0 })
  return best.date ? `${sayDate(best.date)}最高` : '还没有结算'
}
