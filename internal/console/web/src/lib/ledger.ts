import { yuan } from './money'
import type { LedgerEntry } from './types'

const UNITS: Record<string, string> = { points: '分', points_debt: '分', experience: '点', uses: '次' }

/** Whether an entry counts fen; points, uses and experience do not. */
export function isMoney(entry: Pick<LedgerEntry, 'unit'>): boolean {
  return !(entry.unit in UNITS)
}

/** The signed amount of an entry in its own unit: "+¥80.00", "−¥35.00", "+12 分", "−1 次". */
export function amountText(entry: Pick<LedgerEntry, 'unit' | 'amount'>): string {
  const sign = entry.amount < 0 ? '−' : '+'
  const size = Math.abs(entry.amount)
  return isMoney(entry) ? `${sign}¥${yuan(size)}` : `${sign}${size.toLocaleString('zh-CN')} ${UNITS[entry.unit]}`
}

export function balanceText(entry: Pick<LedgerEntry, 'unit' | 'balanceAfter'>): string {
  return isMoney(entry) ? `¥${yuan(entry.balanceAfter)}` : `${entry.balanceAfter.toLocaleString('zh-CN')} ${UNITS[entry.unit]}`
}

/** Where an entry comes from, when there is a page for it. */
export function sourceOf(entry: Pick<LedgerEntry, 'refKind' | 'refId'>): { to: string; text: string; permission: string } | null {
  if (!entry.refId) return null
  if (entry.refKind === 'order' || entry.refKind === 'checkout') return { to: `/orders/${entry.refId}`, text: '看订单', permission: 'checkout.read' }
  if (entry.refKind === 'pass') return { to: `/passes/${entry.refId}`, text: '看次卡', permission: 'pass.read' }
  if (entry.refKind === 'sale') return { to: `/sales/${entry.refId}`, text: '看售卡', permission: 'pass.read' }
  return null
}

/** What an entry has to do with a reversal, and which entry stands on the other side. */
export function reversalOf(entry: Pick<LedgerEntry, 'reversesId' | 'reversedById'>): { text: string; otherId: number } | null {
  if (entry.reversesId) return { text: '撤销了一笔', otherId: entry.reversesId }
  if (entry.reversedById) return { text: '已被撤销', otherId: entry.reversedById }
  return null
}
