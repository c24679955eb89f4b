import { yuanText } from './money'
import type { RefundPlan } from './types'

export interface RefundChoice {
  amountFen: number | null
  plan: RefundPlan | null
  reason: string
}

/** Why the refund cannot be sent yet, as a hint; empty when it can. */
export function refundObstacle({ amountFen, plan, reason }: RefundChoice): string {
  if (amountFen === null) return '请填退款金额'
  if (amountFen <= 0) return '金额要大于 0'
  if (!plan) return '正在计算…'
  if (amountFen > plan.refundableFen) return `最多可退 ${yuanText(plan.refundableFen)}`
  if (plan.requestedFen !== amountFen) return '正在计算…'
  if (payable(plan) <= 0) return '没有可退的金额'
  if (reason.trim().length < 2) return '请写明原因'
  return ''
}

/** What the customer really gets: the sum of the parts. */
export function payable(plan: RefundPlan): number {
  return plan.parts.reduce((sum, part) => sum + part.refundFen, 0)
}

/** What the desk still has to do after the command. */
export function handText(plan: RefundPlan): string {
  const byHand = plan.parts.filter((part) => part.byHand).reduce((sum, part) => sum + part.refundFen, 0)
  return byHand > 0 ? `，其中 ${yuanText(byHand)} 请当面退给车主` : '，微信通常几分钟到账'
}

/** The button says the amount that will leave the shop. */
export function refundButton(choice: RefundChoice): string {
  if (!choice.plan || choice.amountFen === null || choice.plan.requestedFen !== choice.amountFen) return '退款'
  return `退款 ${yuanText(payable(choice.plan))}`
}
