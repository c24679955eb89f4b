import { describe, expect, it } from 'vitest'
import type { CouponOffer, GroupRules, PassPlan, TierProgress } from '@/api/club-types'
import { joinedBy, noteArrival, pendingInvite, sceneCode, takeInvite, withCode } from '@/utils/arrivals'
import { claimBar, clockMinutes, clockText, count, couponFace, daysLeft, gathered, lineLeft, plainCode, planSaves, planValid, progressText, ruleLines, validText } from '@/utils/club'
import { wrapText } from '@/utils/poster'
import { storage } from './support'

const NOON = Date.parse('2026-11-22T12:00:00+08:00')
const offer = (more: Partial<CouponOffer>) => ({ kind: 'amount', offFen: 0, payBp: 0, thresholdFen: 0, maxOffFen: 0, ...more }) as CouponOffer

describe('passes', () => {
  it('says until when a pass is good', () => {
    expect(validText({ state: 'active' }, NOON)).toBe('长期有效')
    expect(validText({ state: 'active', lastDay: '2026-11-22' }, NOON)).toBe('今天到期')
    expect(validText({ state: 'active', lastDay: '2026-12-22' }, NOON)).toBe('还有 30 天到期')
    expect(validText({ state: 'active', lastDay: '2026-12-23' }, NOON)).toBe('有效期至 2026-12-23')
    expect(validText({ state: 'expired', lastDay: '2026-11-01' }, NOON)).toBe('有效期至 2026-11-01')
  })
  it('counts days by the calendar of the shop, not by hours', () => {
    expect(daysLeft('2026-11-23', Date.parse('2026-11-22T23:59:00+08:00'))).toBe(1)
    expect(daysLeft('2026-11-23', Date.parse('2026-11-23T00:01:00+08:00'))).toBe(0)
    expect(daysLeft('2026-11-21', NOON)).toBe(-1)
  })
  it('says what is left and how long a plan lasts', () => {
    const line = { id: 1, title: '洗车', counted: true, left: 7, times: 10, used: 3, listFen: 0, serviceIds: [], goodIds: [] }
    expect(lineLeft(line)).toBe('剩 7 / 10 次')
    expect(lineLeft({ ...line, counted: false })).toBe('不限次数')
    expect([{ validMonths: 12 }, { validMonths: 3 }, { validDays: 45 }, {}].map(planValid)).toEqual(['1 年有效', '3 个月有效', '45 天有效', '长期有效'])
    expect(planSaves({ listFen: 88000, priceFen: 68000 } as PassPlan)).toBe(20000)
    expect(planSaves({ listFen: 0, priceFen: 68000 } as PassPlan)).toBe(0)
  })
})

describe('coupons', () => {
  it('shows amount, percent and free service each in its own way', () => {
    expect(couponFace(offer({ offFen: 1000, thresholdFen: 5000 }))).toEqual({ sign: '¥', big: '10', unit: '', under: '满 50 元可用' })
    expect(couponFace(offer({ kind: 'percent', payBp: 8500, maxOffFen: 3000 }))).toEqual({ sign: '', big: '8.5', unit: '折', under: '无门槛 最多减 30' })
    expect(couponFace(offer({ kind: 'service' })).big).toBe('免费')
  })
  it('says why a claim page is closed', () => {
    const at = { from: '2026-11-23T09:00:00+08:00', left: 3 }
    expect(claimBar({ ...at, state: 'open' }, NOON)).toBe('')
    expect(claimBar({ ...at, state: 'soon' }, NOON)).toBe('明天开始领取')
    expect(claimBar({ ...at, state: 'gone', left: 0 }, NOON)).toBe('已经领完了')
  })
})

describe('tiers and figures', () => {
  it('says one discount once, in the place of the first kind', () => {
    expect(gathered(['洗车 9 折', '美容 9 折', '维修工时 9.5 折', '贴膜 9 折', '每周一次标准洗车·每周 1 次', '1.5 倍积分'])).toEqual(['洗车、美容、贴膜 9 折', '维修工时 9.5 折', '每周一次标准洗车·每周 1 次', '1.5 倍积分'])
    expect(gathered([])).toEqual([])
  })
  it('shows progress in the unit of the measure', () => {
    const p = (kind: TierProgress['kind'], have: number, need: number) => progressText({ kind, have, need, label: '' })
    expect(p('spend_year', 123450, 300000)).toBe('¥1,234.50 / ¥3,000')
    expect(p('visits_year', 3, 10)).toBe('3 / 10 次')
    expect(p('car_km', 12345, 50000)).toBe('12,345 / 50,000 公里')
  })
  it('writes counts with separators and a real minus', () => {
    expect([0, 999, 1000, 9999999, -1234].map(count)).toEqual(['0', '999', '1,000', '9,999,999', '−1,234'])
  })
})

describe('rules of a driver', () => {
  const rules = (more: Partial<GroupRules>): GroupRules => ({ plates: [], serviceIds: [], weekdays: [], ...more })
  const names = new Map([[1, '标准洗车']])
  it('reads as sentences', () => {
    expect(ruleLines(rules({}), names)).toEqual(['任何车牌'])
    expect(ruleLines(rules({ plates: ['沪A12345'], serviceIds: [1], weekdays: [5, 1], fromMinute: 480, toMinute: 1080, capPerOrderFen: 10000, approvalOverFen: 5000 }), names)).toEqual([
      '车牌：沪A12345', '只付：标准洗车', '周一、五 08:00 至 18:00', '单次最多 ¥100.00', '超过 ¥50.00 要付款人同意',
    ])
  })
  it('says hours past midnight, a service that is not known, and a yes for everything', () => {
    expect(ruleLines(rules({ serviceIds: [9], fromMinute: 1200, toMinute: 360, approvalOverFen: 0 }), names)).toEqual(['任何车牌', '只付指定的 1 项服务', '每天 20:00 至次日 06:00', '每次都要付款人同意'])
  })
  it('turns clock times into minutes and back', () => {
    expect([0, 485, 1440].map(clockText)).toEqual(['00:00', '08:05', '24:00'])
    expect(['00:00', '08:05', '24:00'].map(clockMinutes)).toEqual([0, 485, 1440])
  })
})

describe('an invitation that arrives', () => {
  it('waits by link and by mini-program code, once', () => {
    noteArrival({ path: 'pages/join/index', query: { invite: 'T6U49K3Q' } })
    expect(pendingInvite()).toBe('T6U49K3Q')
    noteArrival({ path: 'pages/join/index', query: { scene: 'i%3DABCD2345' } })
    expect(takeInvite()).toBe('ABCD2345')
    expect(pendingInvite()).toBe('')
  })
  it('knows the page that was shared', () => {
    expect(withCode('/pages/club/item?id=7', 'T6U49K3Q', 'item')).toBe('/pages/club/item?id=7&invite=T6U49K3Q&via=item')
    expect(withCode('/pages/club/index', undefined, 'shop')).toBe('/pages/club/index')
    noteArrival({ path: 'pages/club/item', query: { id: '7', invite: 'T6U49K3Q', via: 'item' } })
    expect([pendingInvite(), joinedBy()]).toEqual(['T6U49K3Q', 'T6U49K3Q.item'])
    noteArrival({ path: 'pages/club/item', query: { invite: 'ABCD2345', via: '<b>' } })
    expect(joinedBy()).toBe('ABCD2345')
    takeInvite()
    expect(joinedBy()).toBe('')
  })
  it('leaves the staff’s own invitations, nonsense and old codes alone', () => {
    noteArrival({ path: 'pkg-staff/login/index', query: { invite: 'STAFFCODE' } })
    noteArrival({ path: 'pages/join/index', query: { invite: '<script>', scene: '%E0%A4%A' } })
    noteArrival(undefined)
    expect(pendingInvite()).toBe('')
    storage.set('lc.invite', { code: 'T6U49K3Q', at: Date.now() - 31 * 24 * 3600_000 })
    expect(pendingInvite()).toBe('')
  })
  it('reads a scene with other things in it', () => {
    expect(sceneCode('s=1&i=ABCD2345')).toBe('ABCD2345')
    expect(sceneCode('hi=ABCD')).toBe('')
  })
  it('forgives how people type codes', () => expect(plainCode(' t6u4-9k3q ')).toBe('T6U49K3Q'))
})

describe('words on the poster', () => {
  const fits = (line: string) => line.length <= 6
  it('break into lines and end in an ellipsis', () => {
    expect(wrapText('一二三四五', fits, 2)).toEqual(['一二三四五'])
    expect(wrapText('一二三四五六七八', fits, 2)).toEqual(['一二三四五六', '七八'])
    expect(wrapText('一二三四五六七八九十一二三', fits, 2)).toEqual(['一二三四五六', '七八九十一…'])
    expect(wrapText('', fits, 2)).toEqual([])
  })
})
