/** Money is an integer number of fen everywhere; only these functions turn it into text and back. */

export interface MoneyParts {
  /** A real minus (U+2212), as wide as the plus. */
  sign: '' | '−' | '+'
  /** Whole yuan with thousands separators, e.g. "12,345". */
  whole: string
  /** Two digits. */
  cents: string
}

export function moneyParts(fen: number, withPlus = false): MoneyParts {
  const abs = Math.abs(Math.trunc(fen))
  const whole = String(Math.floor(abs / 100)).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  const cents = String(abs % 100).padStart(2, '0')
  const sign = fen < 0 ? '−' : withPlus && fen > 0 ? '+' : ''
  return { sign, whole, cents }
}

/** 3500 → "35.00" */
export function yuan(fen: number, withPlus = false): string {
  const { sign, whole, cents } = moneyParts(fen, withPlus)
  return `${sign}${whole}.${cents}`
}

/** 3500 → "¥35.00", -500 → "−¥5.00" */
export function yuanSign(fen: number, withPlus = false): string {
  const { sign, whole, cents } = moneyParts(fen, withPlus)
  return `${sign}¥${whole}.${cents}`
}

/** 50000 → "500", 3550 → "35.5": for round amounts in plans and buttons. */
export function yuanShort(fen: number): string {
  const { sign, whole, cents } = moneyParts(fen)
  const tail = cents === '00' ? '' : `.${cents.replace(/0$/, '')}`
  return `${sign}${whole}${tail}`
}

/** What a person typed → fen, or null when it is not an amount (at most two decimals, no sign). */
export function parseYuan(text: string): number | null {
  const clean = text
    .trim()
    .replace(/[０-９．]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/[,，\s¥￥]/g, '')
    .replace('。', '.')
  const match = /^(\d{1,9})(?:\.(\d{0,2}))?$/.exec(clean) ?? /^()\.(\d{1,2})$/.exec(clean)
  if (!match) return null
  return Number(match[1] || 0) * 100 + Number((match[2] ?? '').padEnd(2, '0') || 0)
}

/** 9500 basis points → "9.5 折"; 10000 → "". */
export function discountLabel(bp: number): string {
  if (bp >= 10000 || bp <= 0) return ''
  return `${bp / 1000} 折`
}
