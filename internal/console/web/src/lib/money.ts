/** Money is an integer number of fen everywhere; yuan exist only as text. */

const YUAN_PATTERN = /^([+-]?)(\d{1,10})(?:\.(\d{0,2}))?$/

/** 1234567 → "12,345.67". The one place where fen become text. */
export function yuan(fen: number): string {
  const { sign, whole, cents } = split(fen)
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents}`
}

/** 1234567 → "12345.67": for input fields and spreadsheets, where commas are in the way. */
export function plainYuan(fen: number): string {
  const { sign, whole, cents } = split(fen)
  return `${sign}${whole}.${cents}`
}

/** With the currency sign and the minus before it: "-¥12.00". For sentences and buttons. */
export function yuanText(fen: number): string {
  return fen < 0 ? `-¥${yuan(-fen)}` : `¥${yuan(fen)}`
}

/**
 * What a person typed, as fen; null when it is not an amount. Digits are moved as text, never
 * multiplied as a float: 19.99 must become 1999 and 1.005 is refused, not rounded.
 */
export function parseYuan(text: string): number | null {
  const clean = text.normalize('NFKC').replace(/[\s,¥元]/g, '')
  const match = YUAN_PATTERN.exec(clean)
  if (!match) return null
  const [, sign, whole = '', cents = ''] = match
  const fen = Number(whole + cents.padEnd(2, '0'))
  return sign === '-' && fen !== 0 ? -fen : fen
}

/** Basis points as percent text: 8000 → "80", 9550 → "95.5". */
export function percentOf(bp: number): string {
  return plainYuan(bp).replace(/\.?0+$/, '') || '0'
}

/** Percent text as basis points, exactly; null when it is not a percentage. */
export function parsePercent(text: string): number | null {
  return parseYuan(text.replace(/[%％]/g, ''))
}

/** A discount as people say it, and as the server and the app do: 9500 → "9.5 折", 9000 → "9 折", 10000 → "不打折". */
export function discountText(bp: number): string {
  if (bp >= 10000 || bp <= 0) return '不打折'
  const rest = String(bp % 1000).padStart(3, '0').replace(/0+$/, '')
  return `${Math.trunc(bp / 1000)}${rest && `.${rest}`} 折`
}

function split(fen: number): { sign: string; whole: string; cents: string } {
  const digits = String(Math.abs(Math.trunc(fen))).padStart(3, '0')
  return { sign: fen < 0 ? '-' : '', whole: digits.slice(0, -2), cents: digits.slice(-2) }
}
