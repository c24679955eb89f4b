/** What the business owes its members, ready for drawing. */
import type { Cockpit } from './club-types'

export interface Slice {
  key: string
  name: string
  fen: number
  color: string
  /** Whether a wind-down pays it out. */
  paid: boolean
}

/** The kinds of what is owed, in a fixed order and colour. */
export function slices(cockpit: Pick<Cockpit, 'principalFen' | 'bonusFen' | 'passesFen' | 'membershipsFen' | 'depositsFen' | 'pointsFen'>, brand: string): Slice[] {
  return [
    { key: 'principal', name: '储值本金', fen: cockpit.principalFen, color: brand, paid: true },
    { key: 'passes', name: '次卡与套餐', fen: cockpit.passesFen, color: '#28598f', paid: true },
    { key: 'memberships', name: '付费会员', fen: cockpit.membershipsFen, color: '#7a5aa6', paid: true },
    { key: 'deposits', name: '预约定金', fen: cockpit.depositsFen, color: '#4f9d69', paid: true },
    { key: 'bonus', name: '储值赠送', fen: cockpit.bonusFen, color: '#e3a23c', paid: false },
    { key: 'points', name: '积分（按成本）', fen: cockpit.pointsFen, color: '#c0694b', paid: false },
  ]
}

/** A part as a width in percent; what is there at all stays visible. */
export function widthOf(fen: number, totalFen: number): number {
  if (fen <= 0 || totalFen <= 0) return 0
  return Math.max(0.8, (fen * 100) / totalFen)
}

/** How the debt moved since the month before, in one sentence. */
export function monthSentence(months: Cockpit['months']): string {
  const [before, now] = [months.at(-2), months.at(-1)]
  if (!before || !now) return ''
  const owed = (month: Cockpit['months'][number]) => month.principalFen + month.passesFen + month.membershipsFen
  const change = owed(now) - owed(before)
  if (owed(before) === 0 || change === 0) return ''
  return `比上月底${change > 0 ? '多' : '少'} ${Math.abs(Math.round((change * 100) / owed(before)))}%`
}

/** Months before anything happened are not worth drawing. */
export function liveMonths(months: Cockpit['months']): Cockpit['months'] {
  const first = months.findIndex((month) => month.principalFen || month.bonusFen || month.passesFen || month.membershipsFen || month.points || month.receivedFen || month.revenueFen)
  return first < 0 ? [] : months.slice(Math.max(0, Math.min(first, months.length - 6)))
}

/** "2026-11" → "11月", January with its year. */
export function axisMonth(month: string): string {
  const [year = '', number = ''] = month.split('-')
  return number === '01' ? `${year}年` : `${Number(number)}月`
}
