/** What a coupon does, in words, and how its form becomes what the API takes. */
import type { ClaimInput, ClaimPage, CouponTemplate, CouponTemplateInput, MemberFilter } from './club-types'
import { calendarDate } from './dates'
import { discountText, plainYuan } from './money'

type Terms = Pick<CouponTemplateInput, 'kind' | 'offFen' | 'payBp' | 'maxOffFen' | 'thresholdFen'>
type Validity = Pick<CouponTemplateInput, 'validFrom' | 'validTo' | 'validDays' | 'afterDays'>

export const shortYuan = (fen: number): string => plainYuan(fen).replace(/\.?0+$/, '') || '0'

/** The big words of a coupon: ¥30, 8 折, 免费. */
export function offText(terms: Pick<Terms, 'kind' | 'offFen' | 'payBp'>): string {
  if (terms.kind === 'amount') return `¥${shortYuan(terms.offFen ?? 0)}`
  return terms.kind === 'percent' ? discountText(terms.payBp ?? 0) : '免费'
}

/** From which sum on, and how much at most. */
export function conditionText(terms: Terms): string {
  const from = terms.thresholdFen ? `满 ¥${shortYuan(terms.thresholdFen)} 可用` : '无门槛'
  return terms.kind === 'percent' && terms.maxOffFen ? `${from}，最多减 ¥${shortYuan(terms.maxOffFen)}` : from
}

export function validityText(terms: Validity): string {
  if (terms.validTo) return `${calendarDate(terms.validFrom)} 至 ${calendarDate(terms.validTo)}`
  const after = terms.afterDays ? `领取 ${terms.afterDays} 天后生效，` : '领取后 '
  return terms.afterDays ? `${after}有效 ${terms.validDays ?? 0} 天` : `${after}${terms.validDays ?? 0} 天内有效`
}

/** Only what belongs to the chosen way of lowering and to the chosen kind of validity; the rest would be refused. */
export function templateBody(draft: CouponTemplateInput): CouponTemplateInput {
  const fixed = Boolean(draft.validFrom || draft.validTo)
  return {
    name: draft.name.trim(),
    note: draft.note?.trim() ?? '',
    kind: draft.kind,
    stack: draft.stack,
    giftable: draft.giftable,
    active: draft.active,
    perMember: draft.perMember ?? 0,
    thresholdFen: draft.thresholdFen ?? 0,
    kinds: draft.kind === 'service' ? [] : (draft.kinds ?? []),
    serviceIds: draft.serviceIds ?? [],
    goodIds: draft.goodIds ?? [],
    storeIds: draft.storeIds ?? [],
    classIds: draft.classIds ?? [],
    ...(draft.kind === 'amount' ? { offFen: draft.offFen ?? 0 } : {}),
    ...(draft.kind === 'percent' ? { payBp: draft.payBp ?? 0, maxOffFen: draft.maxOffFen ?? 0 } : {}),
    ...(fixed ? { validFrom: draft.validFrom, validTo: draft.validTo } : { validDays: draft.validDays ?? 0, afterDays: draft.afterDays ?? 0 }),
  }
}

/** Why a template cannot be saved yet; empty when it can. */
export function templateObstacle(draft: CouponTemplateInput): string {
  if (!draft.name.trim()) return '请填名称'
  if (draft.kind === 'amount') {
    if (!draft.offFen) return '请填减多少'
    if (draft.thresholdFen && draft.thresholdFen < draft.offFen) return '门槛不能低于减免金额'
  }
  if (draft.kind === 'percent' && !((draft.payBp ?? 0) > 0 && draft.payBp! < 10000)) return '请填打几折'
  if (draft.kind === 'service' && !(draft.serviceIds?.length || draft.goodIds?.length)) return '请选免费的项目'
  if (draft.validFrom || draft.validTo) return draft.validFrom && draft.validTo ? '' : '请选起止日期'
  return draft.validDays ? '' : '请填有效天数，或选起止日期'
}

/** How far the coupons of a template have come: 已发 120，用了 30（25%）. */
export function useShare(row: Pick<CouponTemplate, 'issued' | 'used'>): number {
  return row.issued > 0 ? Math.round((row.used * 100) / row.issued) : 0
}

export function claimBody(draft: ClaimInput): ClaimInput {
  return {
    templateId: draft.templateId,
    title: draft.title.trim(),
    note: draft.note?.trim() ?? '',
    stock: draft.stock,
    perMember: draft.perMember ?? 1,
    from: draft.from,
    until: draft.until,
    active: draft.active,
    ...(draft.code?.trim() ? { code: draft.code.trim() } : {}),
  }
}

/** What a claim page is doing at an instant. */
export function claimState(page: Pick<ClaimPage, 'active' | 'from' | 'until' | 'stock' | 'taken'>, now = Date.now()): 'off' | 'soon' | 'over' | 'empty' | 'open' {
  if (!page.active) return 'off'
  if (now >= Date.parse(page.until)) return 'over'
  if (now < Date.parse(page.from)) return 'soon'
  return page.taken >= page.stock ? 'empty' : 'open'
}

/** A filter without its empty fields. */
export function filterBody(filter: MemberFilter): MemberFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : Boolean(value))))
}

/** Whom a filter means, in words: 等级、门店… come from `names`. */
export function filterText(filter: MemberFilter, names: { tier: (id: number) => string; store: (id: number) => string; carClass?: (id: number) => string }): string {
  const parts: string[] = []
  if (filter.tierIds?.length) parts.push(filter.tierIds.map(names.tier).join('、'))
  if (filter.storeId) parts.push(names.store(filter.storeId))
  if (filter.joinedFrom || filter.joinedTo) parts.push(`${filter.joinedFrom ?? ''} 至 ${filter.joinedTo ?? '今天'}入会`)
  if (filter.lastVisitBefore) parts.push(`${filter.lastVisitBefore} 起没来过`)
  if (filter.visitedFrom) parts.push(`${filter.visitedFrom} 起来过`)
  if (filter.classIds?.length) parts.push(filter.classIds.map((id) => names.carClass?.(id) ?? '指定车型').join('、'))
  if (filter.platePrefix) parts.push(`车牌 ${filter.platePrefix} 开头`)
  if (filter.purchasedFrom || filter.purchasedTo) parts.push(`${filter.purchasedFrom ?? ''} 至 ${filter.purchasedTo ?? '今天'}购车`)
  if (filter.tags?.length) parts.push(`标签 ${filter.tags.join(' 或 ')}`)
  if (filter.birthMonth) parts.push(`${filter.birthMonth} 月生日`)
  return parts.join(' · ') || '全部正常会员'
}
