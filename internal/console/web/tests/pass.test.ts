import { describe, expect, it } from 'vitest'
import type { PassPlanInput, PassRefundPlan } from '@/lib/benefit-types'
import { blankPlan, leftText, listSum, passLeft, planBody, planObstacle, refundSaid, saleState, validityText } from '@/lib/pass'

const plan = (): PassPlanInput => ({ ...blankPlan(), name: '十次卡', priceFen: 28800, lines: [{ title: '标准洗车', serviceIds: [1], goodIds: [], times: 10, listFen: 3500 }] })

describe('a plan of a pass', () => {
  it('can be saved once it says what it covers, how often and for how much', () => {
    expect(planObstacle(plan())).toBe('')
    expect(planObstacle({ ...plan(), lines: [{ ...plan().lines[0]!, serviceIds: [] }] })).toContain('服务或商品')
    expect(planObstacle({ ...plan(), lines: [{ ...plan().lines[0]!, listFen: 0 }] })).toContain('单次约定价')
    expect(planObstacle({ ...plan(), priceFen: 35001 })).toContain('高过')
    expect(planObstacle({ ...plan(), kind: 'unlimited' })).toContain('每天限用')
    expect(planObstacle({ ...plan(), kind: 'period', validMonths: 0 })).toContain('有效期')
  })

  it('leaves out what its kind does not have', () => {
    const full = { ...plan(), id: 3, sold: 9, recharge: { times: 5, priceFen: 15000 }, renew: { months: 1, priceFen: 100 }, validMonths: 0 } as PassPlanInput
    expect(planBody(full)).toMatchObject({ recharge: { times: 5, priceFen: 15000 } })
    for (const key of ['renew', 'id', 'sold', 'stock']) expect(planBody(full)).not.toHaveProperty(key)
    expect(planBody({ ...full, kind: 'unlimited' })).not.toHaveProperty('recharge')
    expect(planBody({ ...full, kind: 'unlimited' }).lines[0]!.times).toBe(0)
  })

  it('counts what it would cost one by one, exactly', () => {
    expect(listSum(plan())).toBe(35000)
    expect(listSum({ ...plan(), kind: 'period' })).toBe(0)
  })

  it('says whether it can be bought today', () => {
    const base = { onSale: true, sold: 3 }
    expect(saleState(base, '2026-11-22')).toBe('on')
    expect(saleState({ ...base, onSale: false }, '2026-11-22')).toBe('off')
    expect(saleState({ ...base, saleFrom: '2026-11-23' }, '2026-11-22')).toBe('soon')
    expect(saleState({ ...base, saleTo: '2026-11-21' }, '2026-11-22')).toBe('over')
    expect(saleState({ ...base, saleTo: '2026-11-22' }, '2026-11-22')).toBe('on')
    expect(saleState({ ...base, stock: 3 }, '2026-11-22')).toBe('empty')
  })

  it('says how long it is good', () => {
    expect([validityText({ validMonths: 24 }), validityText({ validDays: 30 }), validityText({})]).toEqual(['24 个月', '30 天', '长期有效'])
  })
})

it('says what is left of a pass', () => {
  const line = { id: 1, title: '洗车', serviceIds: [1], goodIds: [], listFen: 3500, counted: true, times: 10, left: 7, used: 3 }
  expect(leftText(line)).toBe('剩 7 / 10 次')
  expect(passLeft([line, { ...line, times: 2, left: 2, used: 0 }]).text).toBe('剩 9 / 12 次')
  expect(passLeft([{ ...line, counted: false, times: 0, left: 0 }]).text).toBe('期内不限，已用 3 次')
})

it('says after a refund what a person still has to do', () => {
  const part = { saleId: 1, no: 'S1', at: '2026-11-01T00:00:00Z', method: 'cash' as const, paidFen: 28800, amountFen: 18300, byHand: true }
  const plan = { refundFen: 18300, parts: [part] } as PassRefundPlan
  expect(refundSaid(plan)).toContain('¥183.00 当面')
  expect(refundSaid({ ...plan, parts: [{ ...part, byHand: false }] })).toContain('原路')
  expect(refundSaid({ ...plan, refundFen: 0, parts: [] })).toContain('没有可退')
})
