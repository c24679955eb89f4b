import { describe, expect, it } from 'vitest'
import { claimState, conditionText, filterBody, filterText, offText, templateBody, templateObstacle, useShare, validityText } from '@/lib/coupon'
import type { CouponTemplateInput, GiftRuleInput, GroupRules, PointsRules } from '@/lib/club-types'
import { fieldInstant, fieldTime } from '@/lib/dates'
import { batchObstacle, giftBody, giftObstacle, ruleBody, ruleObstacle, ruleState, ruleText } from '@/lib/gift'
import { blankRules, clock, hoursText, monthShare, parseClock, placeBody, rulesText, statementMonths } from '@/lib/group'
import { axisMonth, liveMonths, monthSentence, slices, widthOf } from '@/lib/liability'
import { costText, itemBody, itemObstacle, stockAfter } from '@/lib/mall'
import { dayText, earned, kindRate, parseTimes, rulesObstacle, setKindRate, setTierRate, tierRate, timesText } from '@/lib/points'

const coupon = (change: Partial<CouponTemplateInput> = {}): CouponTemplateInput => ({ name: '洗车券', kind: 'amount', offFen: 3000, thresholdFen: 0, stack: 'none', validDays: 30, ...change })

describe('coupons', () => {
  it('says what they do', () => {
    expect(offText(coupon())).toBe('¥30')
    expect(offText(coupon({ offFen: 1250 }))).toBe('¥12.5')
    expect(offText(coupon({ kind: 'percent', payBp: 8500 }))).toBe('8.5 折')
    expect(offText(coupon({ kind: 'service' }))).toBe('免费')
    expect(conditionText(coupon({ thresholdFen: 20000 }))).toBe('满 ¥200 可用')
    expect(conditionText(coupon({ kind: 'percent', maxOffFen: 5000 }))).toBe('无门槛，最多减 ¥50')
    expect(validityText(coupon())).toBe('领取后 30 天内有效')
    expect(validityText(coupon({ afterDays: 1, validDays: 7 }))).toBe('领取 1 天后生效，有效 7 天')
    expect(validityText(coupon({ validFrom: '2026-12-01', validTo: '2026-12-31' }))).toBe('2026年12月1日 至 2026年12月31日')
  })

  it('sends only what belongs to the chosen kind', () => {
    const body = templateBody(coupon({ kind: 'percent', payBp: 8000, kinds: ['wash'], validFrom: '2026-12-01', validTo: '2026-12-31' }))
    expect(body).not.toHaveProperty('offFen')
    expect(body).not.toHaveProperty('validDays')
    expect(body).toMatchObject({ payBp: 8000, validTo: '2026-12-31', kinds: ['wash'] })
    expect(templateBody(coupon({ kind: 'service', kinds: ['wash'], serviceIds: [1] })).kinds).toEqual([])
    expect(templateBody({ ...coupon(), scope: 'x', issued: 3 } as CouponTemplateInput)).not.toHaveProperty('scope')
  })

  it('says what is missing', () => {
    expect(templateObstacle(coupon())).toBe('')
    expect(templateObstacle(coupon({ name: ' ' }))).toBe('请填名称')
    expect(templateObstacle(coupon({ thresholdFen: 2000 }))).toBe('门槛不能低于减免金额')
    expect(templateObstacle(coupon({ kind: 'percent', payBp: 10000 }))).toBe('请填打几折')
    expect(templateObstacle(coupon({ kind: 'service' }))).toBe('请选免费的项目')
    expect(templateObstacle(coupon({ validDays: 0 }))).toBe('请填有效天数，或选起止日期')
  })

  it('knows the state of a claim page', () => {
    const page = { active: true, from: '2026-11-01T00:00:00Z', until: '2026-12-01T00:00:00Z', stock: 10, taken: 3 }
    const now = Date.parse('2026-11-22T00:00:00Z')
    expect(claimState(page, now)).toBe('open')
    expect(claimState({ ...page, taken: 10 }, now)).toBe('empty')
    expect(claimState({ ...page, active: false }, now)).toBe('off')
    expect(claimState(page, Date.parse('2026-12-01T00:00:00Z'))).toBe('over')
    expect(claimState(page, Date.parse('2026-10-01T00:00:00Z'))).toBe('soon')
    expect(useShare({ issued: 0, used: 0 })).toBe(0)
    expect(useShare({ issued: 3, used: 1 })).toBe(33)
  })

  it('says and sends a filter without what is empty', () => {
    const filter = { tierIds: [], joinedFrom: '', birthMonth: 0, storeId: 2, lastVisitBefore: '2026-08-01' }
    expect(filterBody(filter)).toEqual({ storeId: 2, lastVisitBefore: '2026-08-01' })
    const names = { tier: (id: number) => `等级${id}`, store: (id: number) => `门店${id}` }
    expect(filterText(filter, names)).toBe('门店2 · 2026-08-01 起没来过')
    expect(filterText({}, names)).toBe('全部正常会员')
  })
})

describe('gifts', () => {
  const rule: GiftRuleInput = { name: '满额礼', trigger: 'after_purchase', terms: { minFen: 50000, daysBefore: 3, minStars: 4 }, gift: [{ kind: 'points', id: 9, n: 50 }] }

  it('leaves out what another trigger knows', () => {
    expect(ruleBody(rule).terms).toEqual({ tierIds: [], minFen: 50000, perMember: 0 })
    expect(ruleBody({ ...rule, trigger: 'birthday' }).terms).toEqual({ tierIds: [], daysBefore: 3 })
    expect(ruleBody({ ...rule, terms: { stepFen: 10000, stepMost: 5 } }).terms).toEqual({ tierIds: [], minFen: 0, perMember: 0, stepFen: 10000, stepMost: 5 })
    expect(ruleObstacle({ ...rule, terms: { stepFen: 10000 } })).toBe('请填一次最多送几份')
    expect(ruleText({ trigger: 'after_purchase', terms: { stepFen: 10000, stepMost: 5 } })).toBe('实付每满 ¥100.00，一次最多 5 份')
    expect(ruleText({ trigger: 'after_topup', terms: { stepFen: 10000, stepMost: 5 } })).toBe('充值每满 ¥100.00，一次最多 5 份')
    expect(giftBody(rule.gift)).toEqual([{ kind: 'points', n: 50 }])
  })

  it('says what is missing', () => {
    expect(ruleObstacle(rule)).toBe('')
    expect(ruleObstacle({ ...rule, terms: {} })).toBe('请填满多少元')
    expect(ruleObstacle({ ...rule, trigger: 'activity' })).toBe('活动要填结束时间')
    expect(giftObstacle([])).toBe('请添加赠送内容')
    expect(giftObstacle([], true)).toBe('')
    expect(giftObstacle([{ kind: 'coupon', n: 1 }])).toBe('请选择优惠券')
    expect(batchObstacle({ name: '卡', kind: 'dealer', count: 5001, perMember: 1, gift: rule.gift })).toBe('每批 1 至 5000 个')
  })

  it('says when it gives', () => {
    expect(ruleText(rule)).toBe('实付满 ¥500.00')
    expect(ruleText({ trigger: 'review', terms: { minStars: 4, perMember: 2 } })).toBe('4 星及以上评价，每人最多 2 次')
    const now = Date.parse('2026-11-22T00:00:00Z')
    expect(ruleState({ active: true, startsAt: '2026-11-01T00:00:00Z' }, now)).toBe('open')
    expect(ruleState({ active: true, startsAt: '2026-11-01T00:00:00Z', endsAt: '2026-11-22T00:00:00Z' }, now)).toBe('over')
  })
})

describe('points', () => {
  const rules: PointsRules = { version: 1, kinds: [{ kind: 'wash', bp: 20000 }], items: [], tiers: [], days: [] }

  it('reads and writes multipliers exactly', () => {
    expect(timesText(15000)).toBe('1.5')
    expect(timesText(0)).toBe('0')
    expect(timesText(100000)).toBe('10')
    expect(timesText(1)).toBe('0.0001')
    expect(parseTimes('1.5 倍')).toBe(15000)
    expect(parseTimes('１０')).toBe(100000)
    expect(parseTimes('10.1')).toBeNull()
    expect(parseTimes('-1')).toBeNull()
    expect(parseTimes('0.00001')).toBeNull()
  })

  it('keeps only what differs from once', () => {
    expect(kindRate(rules, 'wash')).toBe(20000)
    expect(kindRate(rules, 'film')).toBe(10000)
    expect(setKindRate(rules, 'wash', 10000).kinds).toEqual([])
    expect(setKindRate(rules, 'good', 0).kinds).toHaveLength(2)
    expect(tierRate(setTierRate(rules, 3, 15000), 3)).toBe(15000)
    expect(tierRate(rules, 99, 12000)).toBe(12000)
    expect(setTierRate(rules, 99, 12000, 12000).tiers).toEqual(rules.tiers)
    expect(tierRate(setTierRate(rules, 99, 10000, 12000), 99, 12000)).toBe(10000)
  })

  it('counts as the server does: down, at the very end', () => {
    expect(earned(10000, 10000)).toBe(100)
    expect(earned(10000, 9999, 15000)).toBe(149)
    expect(earned(10000, 9_999_999, 100000, 100000, 100000)).toBe(99_999_990)
  })

  it('says days and what is missing', () => {
    expect(dayText({ from: '2026-11-01', to: '2026-11-30', weekdays: [3], monthDays: [8] })).toBe('2026-11-01 至 2026-11-30，周三、每月 8 日')
    expect(dayText({ from: '2026-11-01', to: '2026-11-01' })).toBe('2026-11-01')
    expect(rulesObstacle({ ...rules, days: [{ name: '', from: '', to: '', bp: 20000 }] })).toBe('翻倍日要有名称')
    expect(rulesObstacle({ ...rules, items: [{ kind: 'good', id: 0, bp: 1 }] })).toBe('单独设置里有没选的项目')
  })
})

describe('mall', () => {
  const item = { name: '玻璃水', kind: 'good' as const, points: 200, moneyFen: 990, stock: 5, ship: true }

  it('says the cost and sends what fits', () => {
    expect(costText({ points: 1200, moneyFen: 0 })).toBe('1,200 分')
    expect(costText(item)).toBe('200 分 + ¥9.90')
    expect(itemBody(item, true)).toMatchObject({ stock: 5, ship: true })
    expect(itemBody(item, false)).not.toHaveProperty('stock')
    expect(itemBody({ ...item, kind: 'pass', subjectId: 1 }, false)).toMatchObject({ moneyFen: 0, ship: false })
    expect(itemObstacle({ ...item, kind: 'coupon' })).toBe('请选择兑换的券或卡')
    expect(itemObstacle({ ...item, points: 0 })).toBe('至少 1 积分')
    expect(stockAfter(5, -6)).toBe(-1)
    expect(stockAfter(5, 0)).toBeNull()
  })
})

describe('groups', () => {
  const rules: GroupRules = { plates: ['浙A12345'], serviceIds: [1], weekdays: [0, 1], fromMinute: 480, toMinute: 1200, capPerOrderFen: 20000, capPerMonthFen: 100000, approvalOverFen: 10000 }

  it('says what a driver may do', () => {
    expect(clock(485)).toBe('8:05')
    expect(parseClock('8:05')).toBe(485)
    expect(parseClock('24:00')).toBe(1440)
    expect(parseClock('24:01')).toBeNull()
    expect(parseClock('8:75')).toBeNull()
    expect(hoursText(rules)).toBe('周一、周日 8:00–20:00')
    expect(hoursText({ weekdays: [], fromMinute: 1320, toMinute: 360 })).toBe('22:00–次日 6:00')
    expect(rulesText(rules, () => '洗车')).toEqual(['只限 浙A12345', '只限 洗车', '周一、周日 8:00–20:00', '每单 ¥200', '每月 ¥1000', '超过 ¥100 要付款人同意'])
    expect(rulesText({ ...blankRules(), approvalOverFen: 0 }, () => '')).toEqual(['每次要付款人同意'])
    expect(rulesText(blankRules(), () => '')).toEqual([])
    expect(monthShare(rules, 50000)).toBe(50)
    expect(monthShare(blankRules(), 50000)).toBeNull()
  })

  it('sends a place without what limits nothing', () => {
    expect(placeBody({ cardKind: 'driver', note: ' ', until: '', rules: { ...blankRules(), plates: [' 浙a1 ', ''], capPerOrderFen: 0 } })).toEqual({ cardKind: 'driver', rules: { plates: ['浙A1'], serviceIds: [], weekdays: [] } })
    expect(placeBody({ cardKind: 'driver', rules: { ...blankRules(), approvalOverFen: 0 } }).rules.approvalOverFen).toBe(0)
    expect(statementMonths(['2026-09', '2026-11'], '2026-11-22')).toEqual(['2026-11', '2026-09'])
  })
})

describe('liability', () => {
  const month = (name: string, principalFen: number) => ({ month: name, principalFen, bonusFen: 0, passesFen: 0, membershipsFen: 0, points: 0, receivedFen: 0, revenueFen: 0 })

  it('is drawn from what is there', () => {
    expect(slices({ principalFen: 1, bonusFen: 2, passesFen: 3, membershipsFen: 4, depositsFen: 5, pointsFen: 6 }, '#000').reduce((sum, part) => sum + part.fen, 0)).toBe(21)
    expect(widthOf(0, 100)).toBe(0)
    expect(widthOf(1, 1_000_000)).toBe(0.8)
    expect(widthOf(50, 100)).toBe(50)
    expect(monthSentence([month('2026-10', 10000), month('2026-11', 12000)])).toBe('比上月底多 20%')
    expect(monthSentence([month('2026-10', 0), month('2026-11', 12000)])).toBe('')
    expect(liveMonths([month('a', 0), month('b', 0)])).toEqual([])
    expect(liveMonths([...Array.from({ length: 20 }, () => month('x', 0)), month('y', 1)])).toHaveLength(6)
    expect(axisMonth('2026-11')).toBe('11月')
    expect(axisMonth('2027-01')).toBe('2027年')
  })
})

it('reads date-time fields by the shop’s clock', () => {
  expect(fieldInstant('2026-11-22 08:00')).toBe('2026-11-22T00:00:00.000Z')
  expect(fieldTime('2026-11-22T00:00:00Z')).toBe('2026-11-22 08:00')
  expect(fieldInstant('')).toBeUndefined()
})
