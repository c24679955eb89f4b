import { describe, expect, it } from 'vitest'
import { bestDay, busiestHour, compareDays, shares } from '@/lib/today'

const days = Array.from({ length: 14 }, (_, i) => ({ date: `2026-11-${String(9 + i).padStart(2, '0')}`, settledFen: 100000, topupFen: 0 }))

describe('dashboard sentences', () => {
  it('sets a past day against the week before it', () => {
    const higher = days.map((day) => (day.date === '2026-11-20' ? { ...day, settledFen: 131000 } : day))
    expect(compareDays(higher, '2026-11-20', '2026-11-22')).toBe('比近 7 天平均高 31%')
    expect(compareDays(days, '2026-11-20', '2026-11-22')).toBe('和近 7 天差不多')
  })

  it('does not call an unfinished day worse', () => {
    const morning = days.map((day) => (day.date === '2026-11-22' ? { ...day, settledFen: 20000 } : day))
    expect(compareDays(morning, '2026-11-22', '2026-11-22')).toBe('已到近 7 天平均的 20%')
  })

  it('keeps quiet without enough days or takings', () => {
    expect(compareDays(days.slice(0, 3), '2026-11-11', '2026-11-22')).toBe('')
    expect(compareDays(days.map((day) => ({ ...day, settledFen: 0 })), '2026-11-20', '2026-11-22')).toBe('')
  })

  it('draws bars against the largest', () => {
    const bars = shares([
      { kind: 'cash', label: '现金', amountFen: 5000, count: 1 },
      { kind: 'wechat', label: '微信支付', amountFen: 20000, count: 2 },
    ])
    expect(bars.map((bar) => [bar.label, bar.percent])).toEqual([['微信支付', 100], ['现金', 25]])
    expect(shares([])).toEqual([])
  })

  it('says what the charts show', () => {
    expect(busiestHour([{ hour: 9, settledFen: 1, topupFen: 0 }, { hour: 14, settledFen: 5, topupFen: 0 }])).toBe('14 点最忙')
    expect(busiestHour([{ hour: 9, settledFen: 0, topupFen: 0 }])).toBe('还没有结算')
    expect(bestDay([])).toBe('还没有结算')
  })
})
