import type { CouponClaim, CouponOffer, GroupRules, Pass, PassPlan, TierProgress } from '@/api/club-types'
import { dayLabel, ymd } from './dates'
import { moneyParts, yuanShort, yuanSign } from './money'

/** Words and figures of the membership programme: pure, from what the API says. */

/** 12345 → "12,345" */
export const count = (n: number): string => `${n < 0 ? '−' : ''}${moneyParts(Math.abs(n) * 100).whole}`

const DAY_MS = 24 * 3600_000

/** Whole days until the end of a date (YYYY-MM-DD) in the shop's zone; 0 on the day itself. */
export function daysLeft(lastDay: string, now: number): number {
  return Math.round((Date.parse(lastDay) - Date.parse(ymd(now))) / DAY_MS)
}

export function validText(pass: Pick<Pass, 'lastDay' | 'state'>, now: number): string {
  if (!pass.lastDay) return '长期有效'
  const left = daysLeft(pass.lastDay, now)
  if (pass.state === 'active' && left >= 0 && left <= 30) return left === 0 ? '今天到期' : `还有 ${left} 天到期`
  return `有效期至 ${pass.lastDay}`
}

const PASS_STATE: Record<Pass['state'], { text: string; cls: string }> = {
  active: { text: '可用', cls: 'good' },
  paused: { text: '已暂停', cls: 'warn' },
  used: { text: '已用完', cls: '' },
  expired: { text: '已到期', cls: '' },
  refunded: { text: '已退卡', cls: '' },
}
export const passState = (state: Pass['state']) => PASS_STATE[state]

/** "剩 7 / 10 次" of one line; what is not counted says so. */
export function lineLeft(line: Pass['lines'][number]): string {
  return line.counted ? `剩 ${line.left} / ${line.times} 次` : '不限次数'
}

/** How long a plan is good after it is bought. */
export function planValid(plan: Pick<PassPlan, 'validDays' | 'validMonths'>): string {
  if (plan.validMonths) return plan.validMonths % 12 === 0 ? `${plan.validMonths / 12} 年有效` : `${plan.validMonths} 个月有效`
  return plan.validDays ? `${plan.validDays} 天有效` : '长期有效'
}

/** What a plan saves against the list price; 0 when it has none. */
export const planSaves = (plan: Pick<PassPlan, 'listFen' | 'priceFen'>): number => Math.max(0, plan.listFen - plan.priceFen)

/** The large figure on a coupon, its unit, and the line below. */
export function couponFace(offer: CouponOffer): { sign: string; big: string; unit: string; under: string } {
  const over = offer.thresholdFen ? `满 ${yuanShort(offer.thresholdFen)} 元可用` : '无门槛'
  if (offer.kind === 'service') return { sign: '', big: '免费', unit: '', under: '服务券' }
  if (offer.kind === 'percent') {
    const most = offer.maxOffFen ? `最多减 ${yuanShort(offer.maxOffFen)}` : ''
    return { sign: '', big: String(offer.payBp / 1000), unit: '折', under: [over, most].filter(Boolean).join(' ') }
  }
  return { sign: '¥', big: yuanShort(offer.offFen), unit: '', under: over }
}

/** Why a claim page cannot be used, or '' when it can. */
export function claimBar(claim: Pick<CouponClaim, 'state' | 'from' | 'left'>, now: number): string {
  if (claim.state === 'open') return ''
  if (claim.state === 'soon') return `${dayLabel(claim.from, now)}开始领取`
  if (claim.state === 'over') return '领取已经结束'
  if (claim.state === 'mine') return '您已经领过了'
  return '已经领完了'
}

/** "¥1,200 / ¥3,000", "3 / 5 次", in the unit of the measure. */
export function progressText(p: TierProgress): string {
  if (p.kind === 'spend_year' || p.kind === 'spend_life') return `${p.have % 100 ? yuanSign(p.have) : `¥${yuanShort(p.have)}`} / ¥${yuanShort(p.need)}`
  const unit = { visits_year: ' 次', visits_life: ' 次', experience: '', car_months: ' 个月', car_km: ' 公里' }[p.kind]
  return `${count(p.have)} / ${count(p.need)}${unit}`
}

/** What a tier brings, with the kinds that have the same discount in one line: "洗车、美容 9.5 折". */
export function gathered(brings: string[]): string[] {
  const kinds = new Map<string, string[]>()
  const lines: string[] = []
  for (const text of brings) {
    const [, kind, off] = /^(\S+) ([\d.]+ 折)$/.exec(text) ?? []
    if (!kind || !off) lines.push(text)
    else if (kinds.has(off)) kinds.get(off)!.push(kind)
    else {
      kinds.set(off, [kind])
      lines.push(off)
    }
  }
  return lines.map((text) => (kinds.has(text) ? `${kinds.get(text)!.join('、')} ${text}` : text))
}

const WEEK = '日一二三四五六'
export const clockText = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
export function clockMinutes(text: string): number {
  const [h, m] = text.split(':').map(Number)
  return (h ?? 0) * 60 + (m ?? 0)
}

/** What a driver may do, one sentence each; never empty. */
export function ruleLines(rules: GroupRules, services: ReadonlyMap<number, string>): string[] {
  const out: string[] = []
  out.push(rules.plates?.length ? `车牌：${rules.plates.join('、')}` : '任何车牌')
  if (rules.serviceIds?.length) {
    const names = rules.serviceIds.map((id) => services.get(id)).filter(Boolean)
    out.push(names.length === rules.serviceIds.length ? `只付：${names.join('、')}` : `只付指定的 ${rules.serviceIds.length} 项服务`)
  }
  const days = rules.weekdays?.length && rules.weekdays.length < 7 ? `周${[...rules.weekdays].sort((a, b) => a - b).map((d) => WEEK[d]).join('、')}` : ''
  const from = rules.fromMinute ?? 0
  const to = rules.toMinute ?? 0
  const whole = from === 0 && (to === 0 || to === 1440)
  const hours = whole ? '' : `${clockText(from)} 至${to <= from ? '次日' : ''} ${clockText(to)}`
  if (days || hours) out.push([days || '每天', hours].filter(Boolean).join(' '))
  if (rules.capPerOrderFen) out.push(`单次最多 ${yuanSign(rules.capPerOrderFen)}`)
  if (rules.capPerMonthFen) out.push(`每月最多 ${yuanSign(rules.capPerMonthFen)}`)
  if (rules.approvalOverFen !== undefined) out.push(rules.approvalOverFen ? `超过 ${yuanSign(rules.approvalOverFen)} 要付款人同意` : '每次都要付款人同意')
  return out
}

/** What people type as a code: without blanks and dashes, in capitals. */
export const plainCode = (text: string): string => text.replace(/[\s\-—－]/g, '').toUpperCase()
