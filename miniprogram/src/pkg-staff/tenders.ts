import type { Quote, TenderInput, TenderKind } from '@/api/types'

/** The mix of tenders of one bill. Amounts are fen; the sum must be exactly the bill's total. */
export const TENDERS: { kind: TenderKind; label: string; icon: string }[] = [
  { kind: 'balance', label: '会员余额', icon: 'wallet' },
  { kind: 'wechat_native', label: '微信扫码', icon: 'qrcode' },
  { kind: 'cash', label: '现金', icon: 'money-circle' },
  { kind: 'alipay', label: '支付宝', icon: 'scan' },
  { kind: 'card', label: '刷卡', icon: 'creditcard' },
]
/** Paid when the booking was made: counted first, and nobody at the till changes it. */
export const DEPOSIT: TenderKind = 'deposit'
/** Set where the member's points and groups are shown. */
export const POINTS: TenderKind = 'points'
export const GROUP: TenderKind = 'group'
const ELSEWHERE: Partial<Record<TenderKind, string>> = { deposit: '预约定金', points: '积分', group: '家庭/企业账户' }
export const tenderLabel = (kind: TenderKind) => ELSEWHERE[kind] ?? TENDERS.find((t) => t.kind === kind)?.label ?? ''
export const depositOf = (quote: Quote) => Math.min(quote.depositFen ?? 0, quote.totalFen)
const withDeposit = (quote: Quote, mix: Mix = {}): Mix => (depositOf(quote) ? { ...mix, [DEPOSIT]: depositOf(quote) } : mix)

/** Tenders whose payment happens at another machine and is recorded with its number. */
export const needsReference = (kind: TenderKind) => kind === 'card' || kind === 'alipay'

export type Mix = Partial<Record<TenderKind, number>>

export const mixSum = (mix: Mix) => Object.values(mix).reduce((sum, fen) => sum + (fen ?? 0), 0)

/** What is still to be paid; negative when the mix is too large. */
export const restOf = (totalFen: number, mix: Mix) => totalFen - mixSum(mix)

/** Puts everything that the other tenders leave open on `kind`, never more than `limitFen`. */
export function fillRest(totalFen: number, mix: Mix, kind: TenderKind, limitFen = Infinity): Mix {
  const others = mixSum(mix) - (mix[kind] ?? 0)
  const amount = Math.max(0, Math.min(totalFen - others, limitFen))
  const next = { ...mix }
  if (amount) next[kind] = amount
  else delete next[kind]
  return next
}

/** The server's suggestion, or the balance as far as it reaches. */
export function startMix(quote: Quote): Mix {
  const mix: Mix = {}
  for (const tender of quote.suggestion ?? []) if (tender.amountFen > 0) mix[tender.kind] = tender.amountFen
  if (!Object.keys(mix).length && quote.balance?.usableFen) {
    mix.balance = Math.min(quote.balance.usableFen, quote.totalFen - depositOf(quote))
  }
  return withDeposit(quote, mix)
}
/** Nothing chosen yet but what is paid already, or by points or a group. */
export function emptyMix(quote: Quote, mix: Mix = {}): Mix {
  const kept: Mix = {}
  for (const kind of [POINTS, GROUP]) if (mix[kind]) kept[kind] = mix[kind]
  return withDeposit(quote, kept)
}

export function tendersOf(mix: Mix, references: Partial<Record<TenderKind, string>>, receivedFen?: number): TenderInput[] {
  const kinds = [DEPOSIT, POINTS, GROUP, ...TENDERS.map((t) => t.kind)]
  return kinds.filter((kind) => (mix[kind] ?? 0) > 0).map((kind) => ({
    kind,
    amountFen: mix[kind]!,
    ...(needsReference(kind) && references[kind] ? { reference: references[kind]!.trim() } : {}),
    ...(kind === 'cash' && receivedFen !== undefined ? { receivedFen } : {}),
  }))
}

/** What is wrong with the mix, or ''. */
export function mixProblem(
  totalFen: number,
  mix: Mix,
  usableBalanceFen: number,
  references: Partial<Record<TenderKind, string>>,
  receivedFen: number | null | undefined,
): string {
  const rest = restOf(totalFen, mix)
  if (Object.values(mix).some((fen) => (fen ?? 0) < 0)) return '金额不能是负数'
  if ((mix.balance ?? 0) > usableBalanceFen) return '余额不够，请换一种方式补足'
  if (rest !== 0) return rest > 0 ? 'rest' : 'over'
  for (const { kind, label } of TENDERS) {
    if (needsReference(kind) && (mix[kind] ?? 0) > 0 && !references[kind]?.trim()) return `请填写${label}的凭证号`
  }
  if ((mix.cash ?? 0) > 0 && receivedFen === null) return '请填写实收现金'
  if ((mix.cash ?? 0) > 0 && receivedFen !== undefined && receivedFen !== null && receivedFen < mix.cash!) return '实收现金不够'
  return ''
}
