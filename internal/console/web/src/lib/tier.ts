/** Tiers and paid memberships as the forms hold them, and in words. */
import type { MemberPrice, MembershipPlanInput, Right, TierDiscount, TierFull, TierGift, TierInput, TierMeasure, TierRule } from './benefit-types'
import { label } from './labels'
import { discountText, yuanText } from './money'

export const WHOLE = 10000
export const KINDS = ['wash', 'detail', 'film', 'repair', 'other', 'good'] as const
export const MEASURES = ['spend_year', 'spend_life', 'visits_year', 'visits_life', 'experience', 'car_months', 'car_km'] as const
type Kind = (typeof KINDS)[number]

/** A tier with everything that it may have, so that the form never meets a gap. */
export interface TierDraft {
  name: string
  color: string
  rank: number
  discountBp: number | null
  priority: boolean
  isDefault: boolean
  cardImage: string
  rule: TierRule | null
  discounts: TierDiscount[]
  finalBp: number
  memberPrices: MemberPrice[]
  rights: Right[]
  comforts: string[]
  gift: TierGift | null
  pointsBp: number
}

export function blankTier(rank: number): TierDraft {
  return {
    name: '', color: '#0B7A75', rank, discountBp: WHOLE, priority: false, isDefault: false, cardImage: '', rule: null,
    discounts: [], finalBp: 0, memberPrices: [], rights: [], comforts: [], gift: null, pointsBp: WHOLE,
  }
}

export function draftOf(row: TierFull): TierDraft {
  const { name, color, rank, discountBp, priority, isDefault, programme } = JSON.parse(JSON.stringify(row)) as TierFull
  const { rule, gift, finalBp, pointsBp, ...lists } = programme
  return { ...blankTier(rank), name, color, discountBp, priority, isDefault, ...lists, rule: rule ?? null, gift: gift ?? null, finalBp: finalBp ?? 0, pointsBp: pointsBp || WHOLE }
}

export function tierBody(draft: TierDraft): TierInput {
  const { name, color, rank, discountBp, priority, isDefault, rule, gift, ...rest } = draft
  return {
    name: name.trim(), color, rank, discountBp: discountBp ?? 0, priority, isDefault,
    programme: { ...rest, rights: rest.rights.map(rightBody), ...(rule && !isDefault ? { rule } : {}), ...(gift ? { gift: giftBody(gift) } : {}) },
  }
}

/** Points have no id to choose. */
function giftBody(gift: TierGift): TierGift {
  const { id, ...rest } = gift
  return gift.kind === 'points' ? rest : { ...rest, id }
}

function rightBody(right: Right): Right {
  const { serviceIds, ...rest } = right
  return right.kind === 'free_use' ? { ...rest, serviceIds: serviceIds ?? [] } : rest
}

export function membershipBody(draft: MembershipPlanInput): MembershipPlanInput {
  const { name, kind, priceFen, months, tierId, rights, note, image, onSale, sort } = draft
  return { name: name.trim(), kind, priceFen, months, tierId: tierId ?? 0, rights: (rights ?? []).map(rightBody), note: note ?? '', image: image ?? '', onSale, sort }
}

/** Why a tier cannot be saved yet; empty when it can. What contradicts other tiers the server says, at its field. */
export function tierObstacle(draft: TierDraft): string {
  if (!draft.name.trim()) return '请填等级名称'
  if (!draft.discountBp) return '请填其余项目按原价的百分之几'
  if (draft.rule && !draft.isDefault && draft.rule.measures.length === 0) return '升级条件至少要有一条'
  if (draft.discounts.some((item) => !item.bp)) return '有一项折扣没填'
  return rightsObstacle(draft.rights) || (draft.gift && !draft.gift.title.trim() ? '请填生日礼的名称' : '')
}

export function rightsObstacle(rights: Right[]): string {
  for (const right of rights) {
    if (!right.title.trim()) return '每项权益都要有名称'
    if (right.kind === 'free_use' && !right.serviceIds?.length) return `“${right.title.trim()}”要选免费的项目`
  }
  return ''
}

export function membershipObstacle(draft: MembershipPlanInput): string {
  if (!draft.name.trim()) return '请填名称'
  if (!draft.priceFen) return '请填价格'
  if (!draft.tierId && !draft.rights?.length) return '选一个授予的等级，或加一项权益'
  return rightsObstacle(draft.rights ?? [])
}

/** The amount of a measure as people read it. */
export function measureText(kind: TierMeasure['kind'], n: number): string {
  const unit = measureUnit(kind)
  return unit === '元' ? yuanText(n) : `${n.toLocaleString('zh-CN')}${unit && ` ${unit}`}`
}

export function measureUnit(kind: TierMeasure['kind']): string {
  switch (kind) {
    case 'spend_year':
    case 'spend_life':
      return '元'
    case 'visits_year':
    case 'visits_life':
      return '次'
    case 'car_months':
      return '个月'
    case 'car_km':
      return '公里'
    default:
      return ''
  }
}

export function ruleText(rule: TierRule | undefined | null): string {
  if (!rule?.measures.length) return ''
  return rule.measures.map((measure) => `${label('tierMeasure', measure.kind)}满 ${measureText(measure.kind, measure.atLeast)}`).join(rule.match === 'all' ? '，并且' : '，或')
}

/** A measure that the rule does not have yet, with a threshold to begin from. */
export function nextMeasure(rule: TierRule): TierMeasure | null {
  const kind = MEASURES.find((one) => !rule.measures.some((measure) => measure.kind === one))
  return kind ? { kind, atLeast: usualThreshold(kind) } : null
}

export function usualThreshold(kind: TierMeasure['kind']): number {
  switch (measureUnit(kind)) {
    case '元':
      return 100_000
    case '次':
      return 12
    case '公里':
      return 50_000
    case '个月':
      return 36
    default:
      return 1000
  }
}

export function discountOf(draft: Pick<TierDraft, 'discounts'>, kind: Kind): number | null {
  return draft.discounts.find((item) => item.kind === kind)?.bp ?? null
}

/** The discounts with one kind changed; an emptied field falls back to that of all the others. */
export function setDiscount(discounts: TierDiscount[], kind: Kind, bp: number | null): TierDiscount[] {
  const others = discounts.filter((item) => item.kind !== kind)
  return bp === null ? others : [...others, { kind, bp }].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
}

/** The member price of a service for a class of cars; class 0 is every class. */
export function memberPriceOf(prices: MemberPrice[], serviceId: number, classId: number): number | null {
  return prices.find((price) => price.serviceId === serviceId && (price.vehicleClassId ?? 0) === classId)?.priceFen ?? null
}

export function setMemberPrice(prices: MemberPrice[], serviceId: number, classId: number, priceFen: number | null): MemberPrice[] {
  const at = prices.findIndex((price) => price.serviceId === serviceId && (price.vehicleClassId ?? 0) === classId)
  if (priceFen === null) return prices.filter((_, index) => index !== at)
  const price = { serviceId, priceFen, ...(classId ? { vehicleClassId: classId } : {}) }
  return at < 0 ? [...prices, price] : prices.map((item, index) => (index === at ? price : item))
}

export function rightText(right: Right): string {
  return `${right.title || '权益'} ${label('rightPeriod', right.period)} ${right.times} 次`
}

/** What a tier brings, in words, as its members read it. */
export function brings(draft: Pick<TierDraft, 'discountBp' | 'discounts' | 'finalBp' | 'memberPrices' | 'rights' | 'pointsBp' | 'priority' | 'gift' | 'comforts'>): string[] {
  const out: string[] = []
  const base = draft.discountBp || WHOLE
  if (draft.discounts.length === 0) {
    if (base < WHOLE) out.push(`全部项目 ${discountText(base)}`)
  } else {
    for (const kind of KINDS) {
      const bp = discountOf(draft, kind) ?? base
      if (bp < WHOLE) out.push(`${label('discountKind', kind)} ${discountText(bp)}`)
    }
  }
  if (draft.finalBp > 0 && draft.finalBp < WHOLE) out.push(`整单再享 ${discountText(draft.finalBp)}`)
  const priced = new Set(draft.memberPrices.map((price) => price.serviceId)).size
  if (priced > 0) out.push(`${priced} 个项目享会员价`)
  out.push(...draft.rights.map(rightText))
  if (draft.pointsBp > WHOLE) out.push(`${draft.pointsBp / WHOLE} 倍积分`)
  if (draft.priority) out.push('优先预约')
  if (draft.gift?.title) out.push(`生日礼：${draft.gift.title}`)
  return [...out, ...draft.comforts]
}

/** How far a measure has come, as a share of the bar. */
export function progressShare(have: number, need: number): number {
  return need > 0 ? Math.max(0, Math.min(100, Math.floor((have * 100) / need))) : 100
}
