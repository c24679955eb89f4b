/** Family and company accounts: what a driver may do, in words and in the form. */
import type { GroupPlace, GroupRules } from './club-types'
import { shortYuan } from './coupon'

const WEEKDAYS = ['周日', '周一', '周二', '周三', '周四', '周五', '周六']
export const WEEK = [1, 2, 3, 4, 5, 6, 0].map((value) => ({ value, label: WEEKDAYS[value]! }))

export function clock(minute: number): string {
  return `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`
}

/** "9:30" as a minute of the day; null when it is no time. */
export function parseClock(text: string): number | null {
  const match = /^(\d{1,2})[:：](\d{2})$/.exec(text.trim())
  if (!match) return null
  const minute = Number(match[1]) * 60 + Number(match[2])
  return Number(match[2]) < 60 && minute <= 1440 ? minute : null
}

export function hoursText(rules: Pick<GroupRules, 'weekdays' | 'fromMinute' | 'toMinute'>): string {
  const days = rules.weekdays.length === 0 ? '' : WEEK.filter((day) => rules.weekdays.includes(day.value)).map((day) => day.label).join('、')
  const from = rules.fromMinute ?? 0
  const to = rules.toMinute ?? 0
  const hours = from === 0 && to === 0 ? '' : `${clock(from)}–${to < from ? '次日 ' : ''}${clock(to)}`
  return [days, hours].filter(Boolean).join(' ')
}

/** Everything that limits a driver, in short words; nothing said means no limit. */
export function rulesText(rules: GroupRules, serviceName: (id: number) => string): string[] {
  const parts: string[] = []
  if (rules.plates.length > 0) parts.push(`只限 ${rules.plates.join('、')}`)
  if (rules.serviceIds.length > 0) parts.push(`只限 ${rules.serviceIds.map(serviceName).join('、')}`)
  if (hoursText(rules)) parts.push(hoursText(rules))
  if (rules.capPerOrderFen) parts.push(`每单 ¥${shortYuan(rules.capPerOrderFen)}`)
  if (rules.capPerMonthFen) parts.push(`每月 ¥${shortYuan(rules.capPerMonthFen)}`)
  if (rules.approvalOverFen !== undefined) parts.push(rules.approvalOverFen === 0 ? '每次要付款人同意' : `超过 ¥${shortYuan(rules.approvalOverFen)} 要付款人同意`)
  return parts
}

/** How far a driver has used up the month, in percent; null without a cap. */
export function monthShare(rules: GroupRules, spentFen: number): number | null {
  return rules.capPerMonthFen ? Math.min(100, Math.round((spentFen * 100) / rules.capPerMonthFen)) : null
}

export const blankRules = (): GroupRules => ({ plates: [], serviceIds: [], weekdays: [] })

export function placeBody(place: GroupPlace): GroupPlace {
  const { rules } = place
  return {
    cardKind: place.cardKind,
    ...(place.note?.trim() ? { note: place.note.trim() } : {}),
    ...(place.until ? { until: place.until } : {}),
    ...(place.tierId && place.cardKind !== 'driver' ? { tierId: place.tierId } : {}),
    rules: {
      plates: rules.plates.map((plate) => plate.trim().toUpperCase()).filter(Boolean),
      serviceIds: rules.serviceIds,
      weekdays: rules.weekdays,
      ...(rules.fromMinute || rules.toMinute ? { fromMinute: rules.fromMinute ?? 0, toMinute: rules.toMinute ?? 0 } : {}),
      ...(rules.capPerOrderFen ? { capPerOrderFen: rules.capPerOrderFen } : {}),
      ...(rules.capPerMonthFen ? { capPerMonthFen: rules.capPerMonthFen } : {}),
      ...(rules.approvalOverFen === undefined || rules.approvalOverFen === null ? {} : { approvalOverFen: rules.approvalOverFen }),
    },
  }
}

/** The months that a statement can be asked for: those in which there is something, and the running one. */
export function statementMonths(known: string[], now: string): string[] {
  return [...new Set([now.slice(0, 7), ...known])].sort().reverse()
}
