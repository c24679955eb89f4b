import { yuan } from './money'
import type { LedgerEntry } from './types'

/** The signed amount of an entry in its own unit: "+¥80.00", "−¥35.00", "+12 分". */
export function amountText(entry: Pick<LedgerEntry, 'unit' | 'amount'>): string {
  const sign = entry.amount < 0 ? '−' : '+'
  const size = Math.abs(entry.amount)
  return entry.unit === 'points' ? `${sign}${size.toLocaleString('zh-CN')} 分` : `${sign}¥${yuan(size)}`
}

export function balanceText(entry: Pick<LedgerEntry, 'unit' | 'balanceAfter'>): string {
  return entry.unit === 'points' ? `${entry.balanceAfter.toLocaleString('zh-CN')} 分` : `¥${yuan(entry.balanceAfter)}`
}

/** Where an entry comes from, when there is a page for it. */
export function sourceOf(entry: Pick<LedgerEntry, 'refKind' | 'refId'>): { to: string; text: string } | null {
  if (!entry.refId) return null
  if (entry.refKind === 'order' || entry.refKind === 'checkout') return { to: `/orders/${entry.refId}`, text: '看订单' }
  return null
}

/** What an entry has to do with a reversal, and which entry stands on the other side. */
export function reversalOf(entry: Pick<LedgerEntry, 'reversesId' | 'reversedById'>): { text: string; otherId: number } | null {
  if (entry.reversesId) return { text: '撤销了一笔', otherId: entry.reversesId }
  if (entry.reversedById) return { text: '已被撤销', otherId: entry.reversedById }
  return null
}
