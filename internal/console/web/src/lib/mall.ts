/** The mall: what an item costs, and how its form becomes what the API takes. */
import type { MallItem, MallItemInput } from './club-types'
import { yuanText } from './money'

export function costText(item: Pick<MallItem, 'points' | 'moneyFen'>): string {
  const points = `${item.points.toLocaleString('zh-CN')} 分`
  return item.moneyFen > 0 ? `${points} + ${yuanText(item.moneyFen)}` : points
}

/** Stock belongs to a new item only: later it is changed by moves with a reason. */
export function itemBody(draft: MallItemInput, fresh: boolean): MallItemInput {
  const thing = draft.kind === 'good'
  const sells = draft.kind === 'pass' || draft.kind === 'membership'
  return {
    name: draft.name.trim(),
    description: draft.description?.trim() ?? '',
    kind: draft.kind,
    subjectId: draft.subjectId ?? 0,
    image: draft.image ?? '',
    points: draft.points,
    moneyFen: sells ? 0 : (draft.moneyFen ?? 0),
    lowStock: draft.lowStock ?? 0,
    perMember: draft.perMember ?? 0,
    minTierId: draft.minTierId ?? 0,
    ship: thing && Boolean(draft.ship),
    active: draft.active,
    sort: draft.sort ?? 0,
    ...(fresh ? { stock: draft.stock ?? 0 } : {}),
    ...(draft.saleFrom ? { saleFrom: draft.saleFrom } : {}),
    ...(draft.saleTo ? { saleTo: draft.saleTo } : {}),
  }
}

export function itemObstacle(draft: MallItemInput): string {
  if (!draft.name.trim()) return '请填名称'
  if (draft.kind !== 'good' && !draft.subjectId) return '请选择兑换的券或卡'
  if (!(draft.points >= 1)) return '至少 1 积分'
  if (draft.saleFrom && draft.saleTo && draft.saleTo <= draft.saleFrom) return '结束要晚于开始'
  return ''
}

/** The stock after a move; null when the move is none. */
export function stockAfter(stock: number, amount: number | null | undefined): number | null {
  return Number.isInteger(amount) && amount !== 0 ? stock + amount! : null
}
