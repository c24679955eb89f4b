import type { Quote, QuoteLine } from '@/api/types'
import { yuanSign } from '@/utils/money'

export interface QuoteChange {
  title: string
  before: string
  after: string
}

/** The lines that differ between two quotes of the same bill, by title. */
export function quoteChanges(before: Quote, after: Quote): QuoteChange[] {
  const sums = (lines: QuoteLine[] | null) => {
    const out = new Map<string, number>()
    for (const line of lines ?? []) out.set(line.title, (out.get(line.title) ?? 0) + line.amountFen)
    return out
  }
  const old = sums(before.lines)
  const now = sums(after.lines)
  const titles = [...new Set([...old.keys(), ...now.keys()])]
  const show = (fen: number | undefined) => (fen === undefined ? '无' : yuanSign(fen))
  return titles
    .filter((title) => old.get(title) !== now.get(title))
    .map((title) => ({ title, before: show(old.get(title)), after: show(now.get(title)) }))
}
