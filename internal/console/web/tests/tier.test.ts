import { describe, expect, it } from 'vitest'
import type { TierFull } from '@/lib/benefit-types'
import { blankTier, brings, draftOf, membershipBody, memberPriceOf, nextMeasure, progressShare, ruleText, setDiscount, setMemberPrice, tierBody, tierObstacle } from '@/lib/tier'

const row: TierFull = {
  id: 7, name: '金卡', color: '#C9A227', rank: 2, discountBp: 9500, isDefault: false, priority: true, cardUrl: '/media/x.jpg',
  programme: { rule: { match: 'any', measures: [{ kind: 'spend_year', atLeast: 200000 }, { kind: 'visits_year', atLeast: 12 }] }, pointsBp: 12000, rights: [{ id: 3, kind: 'free_use', title: '洗车', serviceIds: [1], times: 1, period: 'month' }] },
}

describe('the draft of a tier', () => {
  it('goes there and back without losing anything', () => {
    const body = tierBody(draftOf(row))
    expect(body).toMatchObject({ name: '金卡', rank: 2, discountBp: 9500, priority: true, isDefault: false })
    expect(body.programme).toMatchObject({ rule: row.programme.rule, pointsBp: 12000, rights: row.programme.rights })
    expect(body).not.toHaveProperty('id')
    expect(body).not.toHaveProperty('cardUrl')
  })

  it('leaves the row as it was', () => {
    const draft = draftOf(row)
    draft.rule!.measures.pop()
    expect(row.programme.rule!.measures).toHaveLength(2)
  })

  it('has no rule when everybody is in it', () => {
    expect(tierBody({ ...draftOf(row), isDefault: true }).programme).not.toHaveProperty('rule')
  })

  it('says what is missing', () => {
    expect(tierObstacle(blankTier(1))).toBe('请填等级名称')
    expect(tierObstacle({ ...draftOf(row), rule: { match: 'any', measures: [] } })).toContain('至少')
    expect(tierObstacle({ ...draftOf(row), rights: [{ kind: 'free_use', title: '洗车', times: 1, period: 'month' }] })).toContain('免费的项目')
    expect(tierObstacle(draftOf(row))).toBe('')
  })
})

it('says a rule as people read it', () => {
  expect(ruleText(row.programme.rule)).toBe('近 12 个月消费满 ¥2,000.00，或近 12 个月到店满 12 次')
  expect(ruleText(null)).toBe('')
})

it('offers only measures that the rule does not have', () => {
  expect(nextMeasure(row.programme.rule!)?.kind).toBe('spend_life')
})

it('keeps discounts of kinds in their order, and an emptied one falls back', () => {
  const set = setDiscount(setDiscount([], 'good', 8000), 'wash', 9000)
  expect(set.map((item) => item.kind)).toEqual(['wash', 'good'])
  expect(setDiscount(set, 'good', null)).toEqual([{ kind: 'wash', bp: 9000 }])
})

it('knows the member price of a class from that of every class', () => {
  const prices = setMemberPrice(setMemberPrice([], 1, 0, 3000), 1, 5, 4000)
  expect([memberPriceOf(prices, 1, 0), memberPriceOf(prices, 1, 5), memberPriceOf(prices, 1, 6)]).toEqual([3000, 4000, null])
  expect(setMemberPrice(prices, 1, 0, 2900)[0]).toEqual({ serviceId: 1, priceFen: 2900 })
  expect(setMemberPrice(prices, 1, 5, null)).toHaveLength(1)
})

it('says what a tier brings', () => {
  expect(brings(draftOf(row))).toEqual(['全部项目 9.5 折', '洗车 每月 1 次', '1.2 倍积分', '优先预约'])
  expect(brings({ ...blankTier(1), discounts: [{ kind: 'good', bp: 9000 }] })).toEqual(['配件商品 9 折'])
})

it('sends of a membership only what the API takes', () => {
  const draft = { id: 4, name: ' 年卡 ', kind: 'discount' as const, priceFen: 9900, months: 12, tierName: '金卡', imageUrl: 'x', rights: [{ kind: 'counted' as const, title: '救援', serviceIds: [1], times: 1, period: 'term' as const }] }
  expect(Object.keys(membershipBody(draft)).sort()).toEqual(['image', 'kind', 'months', 'name', 'note', 'onSale', 'priceFen', 'rights', 'sort', 'tierId'])
  expect(membershipBody(draft)).toMatchObject({ name: '年卡', rights: [{ title: '救援' }] })
  expect(membershipBody(draft).rights![0]).not.toHaveProperty('serviceIds')
})

it('draws progress between nothing and all', () => {
  expect([progressShare(0, 10), progressShare(999, 1000), progressShare(30, 10), progressShare(1, 0)]).toEqual([0, 99, 100, 100])
})
