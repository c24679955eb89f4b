/** The rules of points as the form holds them: a multiplier in text is exact, never a float. */
import type { PointsDay, PointsRules } from './club-types'
import { plainYuan } from './money'

export const ONCE = 10000
export const MOST = 100000
export const KINDS = ['wash', 'detail', 'film', 'repair', 'other', 'good'] as const

/** Basis points as a multiplier: 15000 → "1.5". */
export function timesText(bp: number): string {
  const digits = String(bp).padStart(5, '0')
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`.replace(/\.?0+$/, '') || '0'
}

/** What a person typed as a multiplier; null when it is none. */
export function parseTimes(text: string): number | null {
  const match = /^(\d{1,2})(?:\.(\d{0,4}))?$/.exec(text.normalize('NFKC').replace(/[\s倍×x]/g, ''))
  if (!match) return null
  const bp = Number(match[1]! + (match[2] ?? '').padEnd(4, '0'))
  return bp <= MOST ? bp : null
}

export function kindRate(rules: PointsRules, kind: (typeof KINDS)[number]): number {
  return rules.kinds.find((item) => item.kind === kind)?.bp ?? ONCE
}

/** The rules with the rate of one kind changed; once is the rule without saying so. */
export function setKindRate(rules: PointsRules, kind: (typeof KINDS)[number], bp: number): PointsRules {
  const others = rules.kinds.filter((item) => item.kind !== kind)
  return { ...rules, kinds: bp === ONCE ? others : [...others, { kind, bp }] }
}

/** The rules' multiplier of a tier goes before `own`, which is what the tier itself brings. */
export function tierRate(rules: PointsRules, tierId: number, own = ONCE): number {
  return rules.tiers.find((item) => item.tierId === tierId)?.bp ?? own
}

export function setTierRate(rules: PointsRules, tierId: number, bp: number, own = ONCE): PointsRules {
  const others = rules.tiers.filter((item) => item.tierId !== tierId)
  return { ...rules, tiers: bp === own ? others : [...others, { tierId, bp }] }
}

/** How many points paying some money brings; rounded down at the very end, as the server does. */
export function earned(baseBp: number, paidFen: number, ...factors: number[]): number {
  let product = BigInt(paidFen) * BigInt(baseBp)
  let scale = 100n * 10000n
  for (const factor of factors) {
    product *= BigInt(factor)
    scale *= 10000n
  }
  return Number(product / scale)
}

const WEEKDAYS = ['', '周一', '周二', '周三', '周四', '周五', '周六', '周日']

/** On which days a multiplier holds, in words. */
export function dayText(day: Pick<PointsDay, 'from' | 'to' | 'weekdays' | 'monthDays'>): string {
  const named = [...(day.weekdays ?? []).map((n) => WEEKDAYS[n] ?? ''), ...(day.monthDays ?? []).map((n) => `每月 ${n} 日`)]
  const span = day.from === day.to ? day.from : `${day.from} 至 ${day.to}`
  return named.length > 0 ? `${span}，${named.join('、')}` : span
}

/** Why the rules cannot be saved yet; empty when they can. */
export function rulesObstacle(rules: PointsRules): string {
  if (rules.items.some((item) => !item.id)) return '单独设置里有没选的项目'
  for (const day of rules.days) {
    if (!day.name.trim()) return '翻倍日要有名称'
    if (!day.from || !day.to) return `“${day.name}”要选起止日期`
  }
  return ''
}

/** What points are worth, as the till would count them. */
export function worthText(points: number, perYuan: number): string {
  return perYuan > 0 ? `≈ ¥${plainYuan(Math.floor((points * 100) / perYuan))}` : ''
}
