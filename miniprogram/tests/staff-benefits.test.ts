import { describe, expect, it } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import { writeSession } from '@/api/tokens'
import { giveWay, keptFen, offerNote, pointsFor, pointSteps, stepFen, toggleCoupon, toggleCover, usesOf, withPoints, type Chosen, type CoverOffer } from '@/pkg-staff/benefits'
import { pickupCode } from '@/pkg-staff/club'
import { useDesk } from '@/pkg-staff/desk-store'
import PayPage from '@/pkg-staff/pay/index.vue'
import PickupPage from '@/pkg-staff/pickup/index.vue'
import { useStaff } from '@/stores/staff'
import { quote } from './fixtures'
import { pageQuery } from './stubs/uni-app'
import { sent, serveMap, session } from './support'

const nothing: Chosen = { covers: [], couponIds: [], points: 0, pointsFen: 0 }
const pass = (over: Partial<CoverOffer> = {}): CoverOffer => ({ kind: 'pass', id: 5, title: '10 次卡', left: 7, items: [0], ...over })
const wash = (qty = 1) => [{ kind: 'service' as const, id: 1, qty }]

describe('benefits of a bill', () => {
  it('a cover is put on as much as it pays, and taken off whole', () => {
    const on = toggleCover(nothing, pass({ left: 2 }), wash(3))
    expect(on).toEqual({ auto: false, covers: [{ kind: 'pass', id: 5, itemIndex: 0, qty: 2 }], couponIds: [] })
    const chosen = { ...nothing, covers: on.covers!, couponIds: [9] }
    expect(usesOf(chosen, pass())).toBe(2)
    expect(toggleCover(chosen, pass(), wash(3))).toEqual({ auto: false, covers: [], couponIds: [9] })
  })
  it('pays what nothing else pays; else it takes the place of another', () => {
    const chosen: Chosen = { ...nothing, covers: [{ kind: 'right', id: 1, itemIndex: 0, qty: 1 }] }
    expect(toggleCover(chosen, pass(), wash(3)).covers).toEqual([{ kind: 'right', id: 1, itemIndex: 0, qty: 1 }, { kind: 'pass', id: 5, itemIndex: 0, qty: 2 }])
    expect(toggleCover(chosen, pass(), wash(1)).covers).toEqual([{ kind: 'pass', id: 5, itemIndex: 0, qty: 1 }])
    expect(toggleCover(nothing, pass({ left: undefined }), wash(3)).covers![0]!.qty).toBe(3)
  })
  it('the coupon that was ticked last wins', () => {
    const asked = toggleCoupon({ ...nothing, couponIds: [1, 2] }, 3)
    expect(asked.couponIds).toEqual([3, 1, 2])
    expect(toggleCoupon({ ...nothing, couponIds: [1, 2] }, 1).couponIds).toEqual([2])
    expect(giveWay(asked, 'benefits.couponIds[1]', 3)?.couponIds).toEqual([3, 2])
    expect(giveWay(asked, 'benefits.couponIds[0]', 3)).toBeNull()
    const paid = { ...asked, covers: [{ kind: 'pass' as const, id: 5, itemIndex: 0, qty: 1 }] }
    expect(giveWay(paid, 'benefits.couponIds[0]', 3)?.covers).toEqual([])
    expect(giveWay(paid, 'benefits.covers[0]', 3)).toBeNull()
    expect(giveWay(paid, 'plate')).toBeNull()
  })
  it('says what is left and until when, the last day itself', () => {
    const now = Date.parse('2026-11-22T02:00:00Z')
    expect(offerNote({ left: 7, expiresAt: Date.parse('2028-11-22T16:00:00Z') }, now)).toBe('剩 7 次 · 有效期至 2028-11-22')
    expect(offerNote({ left: 0 }, now)).toBe('剩 0 次')
    expect(offerNote({}, now)).toBe('')
  })
})

describe('points', () => {
  const offer = { available: 5050, max: 5050, maxFen: 5050, perYuan: 100 }
  it('move in whole yuan up to the most', () => {
    expect(pointSteps(offer)).toBe(51)
    expect([0, 1, 50, 51, 99].map((n) => stepFen(offer, n))).toEqual([0, 100, 5000, 5050, 5050])
    expect(pointsFor(101, 100)).toBe(101)
    expect(pointsFor(101, 30)).toBe(31)
  })
  it('make room among the other tenders, exactly', () => {
    expect(withPoints(14220, { balance: 14220 }, 5050, 50000)).toEqual({ points: 5050, balance: 9170 })
    expect(withPoints(14220, { points: 5050, balance: 9170 }, 0, 50000)).toEqual({ balance: 14220 })
    expect(withPoints(14220, { deposit: 2000, balance: 5000, cash: 7220 }, 1000, 5000)).toEqual({ deposit: 2000, points: 1000, balance: 5000, cash: 6220 })
    expect(withPoints(14220, { balance: 5000, cash: 9220 }, 14220, 5000)).toEqual({ points: 14220 })
    expect(withPoints(10000, { group: 8000, cash: 2000 }, 3000, 0)).toEqual({ points: 3000, group: 7000 })
    expect(keptFen({ points: 3000, group: 7000, cash: 5 })).toBe(10000)
  })
})

describe('pages', () => {
  const atDesk = () => {
    writeSession('staff', session())
    const staff = useStaff()
    staff.me = { id: 1, name: '小王', username: 'w', roles: [], wechatBound: false, stores: [{ id: 3, name: '静安店' }], permissions: ['checkout.settle', 'mall.deliver'] } as never
    staff.chooseStore(3)
  }
  const press = async (wrapper: ReturnType<typeof mount>, selector: string, text: string) => {
    await wrapper.findAll(selector).find((x) => x.text().includes(text))!.trigger('tap')
    await flushPromises()
  }
  const offers = (over = {}) => ({ covers: [pass()], coupons: [{ id: 8, title: '减 10' }], groups: [], points: { available: 500, max: 500, maxFen: 500, perYuan: 100 }, ...over })

  it('a bill that a pass pays settles without a tender', async () => {
    atDesk()
    const desk = useDesk()
    const request = { storeId: 3, memberId: 1, plate: '沪A8K316', vehicleClassId: 2, items: wash() }
    desk.request = request as never
    desk.quote = quote({ offers: offers() as never, benefits: nothing })
    const free = quote({ quoteHash: 'h9', totalFen: 0, savedFen: 8800, offers: offers() as never, benefits: { ...nothing, covers: [{ kind: 'pass', id: 5, itemIndex: 0, qty: 1 }] } })
    serveMap({ 'POST /api/staff/quotes': free, 'POST /api/staff/checkouts': { orderId: 31, status: 'settled' } })
    const wrapper = mount(PayPage)
    await flushPromises()
    await press(wrapper, '.offer', '10 次卡')
    expect(sent.at(-1)!.data.benefits).toEqual({ auto: false, covers: [{ kind: 'pass', id: 5, itemIndex: 0, qty: 1 }], couponIds: [], points: 0 })
    expect(wrapper.text()).toContain('省了 ¥88.00')
    expect(wrapper.text()).not.toContain('收款方式')
    await press(wrapper, 'button', '不用收款')
    expect(sent.at(-1)!.path).toBe('/api/staff/checkouts')
    expect(sent.at(-1)!.data.tenders).toEqual([])
  })

  it('hands a gift out once', async () => {
    atDesk()
    expect([pickupCode('1234 567 890'), pickupCode('123456789'), pickupCode('12345678901')]).toEqual(['1234567890', '', ''])
    const order = { id: 7, no: 'M1', state: 'ready', stateText: '等待取货', title: '脚垫', qty: 2, points: 900, moneyFen: 0, memberName: '何**', memberPhone: '139****1234', createdAt: '2026-11-22T02:00:00Z' }
    serveMap({ 'POST /api/staff/mall/collect': order, 'POST /api/staff/mall/orders/7/deliver': { ...order, state: 'collected', stateText: '已领取' } })
    pageQuery.code = '1234567890'
    const wrapper = mount(PickupPage)
    await flushPromises()
    expect(wrapper.text()).toContain('脚垫')
    expect(wrapper.text()).toContain('900 积分')
    await press(wrapper, 'button', '交付 2 件')
    expect(sent.at(-1)!.data).toEqual({ code: '1234567890' })
    expect(wrapper.text()).toContain('已经交付')
    expect(wrapper.findAll('button').some((b) => b.text().includes('交付 2 件'))).toBe(false)
  })
})
