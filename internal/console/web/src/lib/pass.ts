/** Passes and their plans as the forms hold them, and in words. */
import type { PassLine, PassPlan, PassPlanInput, PassPlanLine, PassRefundPlan } from './benefit-types'
import { label } from './labels'
import { yuanText } from './money'

export const blankLine = (): PassPlanLine => ({ title: '', serviceIds: [], goodIds: [], times: 10, listFen: 0 })

export const blankPlan = (): PassPlanInput => ({
  name: '', note: '', kind: 'times', lines: [blankLine()], priceFen: 0, validDays: 0, validMonths: 12, perDay: 0, plates: 0, storeIds: [], giftable: false, upgrade: false,
  fromBalance: false, saleFrom: '', saleTo: '', perMember: 0, onSale: true, sort: 0,
})

/** What the API takes of a draft; what another kind of pass does not have is left out. */
export function planBody(draft: PassPlanInput): PassPlanInput {
  const { name, note, kind, lines, priceFen, validDays, validMonths, perDay, plates, storeIds, giftable, upgrade, recharge, renew, fromBalance, saleFrom, saleTo, perMember, stock, onSale, sort } = draft
  const forever = !validDays && !validMonths
  return {
    name: name.trim(), note: note?.trim() ?? '', kind, priceFen, validDays, validMonths, perDay, plates, storeIds, giftable, upgrade, fromBalance, saleFrom: saleFrom ?? '', saleTo: saleTo ?? '', perMember, onSale, sort,
    lines: lines.map(({ title, serviceIds, goodIds, times, listFen }) => ({ title: title ?? '', serviceIds, goodIds, times: kind === 'unlimited' ? 0 : times, listFen })),
    ...(recharge && rechargeable(draft) ? { recharge } : {}),
    ...(renew && !forever ? { renew } : {}),
    ...(typeof stock === 'number' ? { stock } : {}),
  }
}

/** Only a pass of one counted thing can have times added. */
export function rechargeable(draft: Pick<PassPlanInput, 'kind' | 'lines'>): boolean {
  return draft.kind === 'times' && draft.lines.length === 1
}

/** What all of a plan would cost one by one; 0 when it is not counted. */
export function listSum(draft: Pick<PassPlanInput, 'kind' | 'lines'>): number {
  return draft.kind === 'times' ? draft.lines.reduce((sum, line) => sum + line.listFen * line.times, 0) : 0
}

/** Why a plan cannot be saved yet; empty when it can. */
export function planObstacle(draft: PassPlanInput): string {
  if (!draft.name.trim()) return '请填名称'
  if (draft.priceFen === null || draft.priceFen === undefined) return '请填售价'
  if (draft.lines.length === 0) return '至少要有一个项目'
  for (const [index, line] of draft.lines.entries()) {
    const where = draft.lines.length > 1 ? `第 ${index + 1} 个项目` : '项目'
    if (!line.serviceIds?.length && !line.goodIds?.length) return `${where}要选包含的服务或商品`
    if (draft.kind === 'times' && !line.times) return `${where}要填次数`
    if (!line.listFen) return `${where}要填单次约定价，退卡时按它算`
  }
  const forever = !draft.validDays && !draft.validMonths
  if (draft.kind !== 'times' && forever) return '请填有效期'
  if (draft.kind === 'unlimited' && !draft.perDay) return '不限次卡要填每天限用几次'
  if (draft.kind === 'times' && draft.priceFen > listSum(draft)) return '售价高过逐次购买的总价了'
  if (draft.recharge && rechargeable(draft) && !draft.recharge.priceFen) return '请填充次的价格'
  if (draft.renew && !forever && !draft.renew.priceFen) return '请填续期的价格'
  return ''
}

export function validityText(plan: Pick<PassPlanInput, 'validDays' | 'validMonths'>): string {
  if (plan.validMonths) return `${plan.validMonths} 个月`
  return plan.validDays ? `${plan.validDays} 天` : '长期有效'
}

/** What a plan covers, in a line: 标准洗车 ×10、打蜡 ×2. */
export function linesText(plan: Pick<PassPlan, 'kind' | 'lines'>): string {
  return plan.lines.map((line) => `${line.title || '项目'}${line.times > 0 ? ` ×${line.times}` : ' 不限次'}`).join('、')
}

/** Whether a plan can be bought today, and why not; in the words of the list. */
export function saleState(plan: Pick<PassPlan, 'onSale' | 'saleFrom' | 'saleTo' | 'stock' | 'sold'>, today: string): 'on' | 'off' | 'soon' | 'over' | 'empty' {
  if (!plan.onSale) return 'off'
  if (plan.saleFrom && today < plan.saleFrom) return 'soon'
  if (plan.saleTo && today > plan.saleTo) return 'over'
  return plan.stock !== undefined && plan.sold >= plan.stock ? 'empty' : 'on'
}

/** What is left of a line, in words. */
export function leftText(line: Pick<PassLine, 'counted' | 'left' | 'times' | 'used'>): string {
  return line.counted ? `剩 ${line.left} / ${line.times} 次` : `已用 ${line.used} 次，期内不限`
}

/** What is left of a whole pass, for a row of the list. */
export function passLeft(lines: PassLine[]): { left: number; times: number; text: string } {
  const counted = lines.filter((line) => line.counted)
  const left = counted.reduce((sum, line) => sum + line.left, 0)
  const times = counted.reduce((sum, line) => sum + line.times, 0)
  if (counted.length === 0) return { left: 1, times: 1, text: `期内不限，已用 ${lines.reduce((sum, line) => sum + line.used, 0)} 次` }
  return { left, times, text: `剩 ${left} / ${times} 次` }
}

/** The part of a refund that a person at the desk hands out. */
export function byHandFen(plan: PassRefundPlan): number {
  return plan.parts.filter((part) => part.byHand).reduce((sum, part) => sum + part.amountFen, 0)
}

/** What to say once a pass was given back. */
export function refundSaid(plan: PassRefundPlan): string {
  const hand = byHandFen(plan)
  if (plan.refundFen === 0) return '已退卡，没有可退的钱'
  return hand > 0 ? `已退卡，请把 ${yuanText(hand)} 当面退给车主` : `已退卡，${yuanText(plan.refundFen)} 按原路退回`
}

export function refundHow(part: Pick<PassRefundPlan['parts'][number], 'byHand' | 'method'>): string {
  return part.byHand ? `门店退${label('saleMethod', part.method)}` : part.method === 'balance' ? '退回储值' : '微信原路退回'
}
