import { describe, expect, it, vi } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import type { Booking } from '@/api/booking-types'
import { writeSession } from '@/api/tokens'
import ConfirmPage from '@/pages/booking/confirm.vue'
import IndexPage from '@/pages/booking/index.vue'
import { useHomeBookings } from '@/pages/home/use-bookings'
import { pendingReturn, takeReturn } from '@/utils/return-to'
import { useMember } from '@/stores/member'
import { BOOKINGS_KEY } from '@/utils/local-data'
import { HOME } from './fixtures'
import { fireHook, pageQuery } from './stubs/uni-app'
import { problem, sent, serve, serveMap, session, storage } from './support'

const booking = (over: Partial<Booking> = {}): Booking => ({
  id: 3, no: 'B3', storeId: 1, storeName: '静安店', storeAddress: '江宁路 888 号', storePhone: '021', kind: 'visit', channel: 'h5', state: 'held',
  startsAt: '2026-11-23T02:00:00Z', endsAt: '2026-11-23T03:00:00Z', plate: '沪A8K316', vehicleClassId: 2, vehicleClassName: 'SUV', title: '精致洗车',
  items: [{ serviceId: 1, title: '精致洗车', minutes: 60, priceFen: 9999999 }], minutes: 60, priceFen: 9999999, depositFen: 3000, depositState: 'due',
  holdExpiresAt: new Date(Date.now() + 545_000).toISOString(), cancel: { allowed: true, refundFen: 0, text: '可以免费取消' }, photos: [], createdAt: '2026-11-22T01:00:00Z', ...over,
})
const loggedIn = () => writeSession('owner', session())

describe('a held booking', () => {
  it('counts down, and says so when the time is gone', async () => {
    loggedIn()
    pageQuery.id = '3'
    vi.useFakeTimers()
    const held = booking({ holdExpiresAt: new Date(Date.now() + 65_000).toISOString() })
    serveMap({ 'GET /api/owner/bookings/3': () => ({ data: held }) })
    const page = mount(ConfirmPage)
    await vi.advanceTimersByTimeAsync(1000)
    expect(page.text()).toContain('01:04')
    expect(page.text()).toContain('微信支付定金 ¥30.00')
    expect(page.text()).toContain('99,999.99')
    await vi.advanceTimersByTimeAsync(66_000)
    expect(page.text()).toContain('这个时间没有留住')
    expect(page.text()).not.toContain('微信支付')
    await fireHook('onUnload')
  })

  it('is ours once the payment is confirmed; WeChat itself is asked when the word does not come', async () => {
    loggedIn()
    pageQuery.id = '3'
    vi.useFakeTimers()
    ;(wx.requestPayment as unknown as ReturnType<typeof vi.fn>).mockImplementation((o) => o.success())
    ;(globalThis as any).WeixinJSBridge = { invoke: (_: string, __: unknown, done: (r: object) => void) => done({ err_msg: 'get_brand_wcpay_request:ok' }) }
    const jsapi = { appId: 'wx1', timeStamp: '1', nonceStr: 'n', package: 'prepay_id=1', signType: 'RSA', paySign: 's' }
    serveMap({
      'GET /api/owner/bookings/3': booking(),
      'POST /api/owner/bookings/3/pay': { booking: booking(), jsapi },
      'POST /api/owner/bookings/3/check': booking({ state: 'confirmed', depositState: 'paid' }),
    })
    const page = mount(ConfirmPage)
    await vi.advanceTimersByTimeAsync(100)
    await page.findAll('button').find((b) => b.text().includes('微信支付定金'))!.trigger('tap')
    await vi.advanceTimersByTimeAsync(100)
    expect(page.text()).toContain('正在确认付款')
    expect(sent.find((r) => r.path.endsWith('/pay'))!.header['idempotency-key']).toBeTruthy()
    await vi.advanceTimersByTimeAsync(4000)
    expect(page.text()).toContain('预约好了')
    await fireHook('onUnload')
  })
})

describe('a booking link', () => {
  it('asks somebody without a card to join, and remembers where they were going', async () => {
    loggedIn()
    Object.assign(pageQuery, { storeId: '1', serviceId: '9' })
    serve(() => problem(404, 'member.not_joined', '还不是会员'))
    const page = mount(IndexPage)
    await flushPromises()
    await page.findAll('button').find((b) => b.text().includes('免费领卡'))!.trigger('tap')
    expect(uni.navigateTo).toHaveBeenCalledWith({ url: '/pages/join/index' })
    expect(pendingReturn()).toBe('/pages/booking/index?storeId=1&serviceId=9')
    expect(takeReturn()).toBe('/pages/booking/index?storeId=1&serviceId=9')
    expect(takeReturn()).toBe('')
  })
})

describe('the home page’s bookings', () => {
  it('put a waiting car first, and stay readable without network', async () => {
    loggedIn()
    useMember().home = HOME
    const queued = booking({ id: 4, state: 'queued', queue: { ahead: 2, minutes: 25 }, startsAt: '2026-11-24T02:00:00Z' })
    serveMap({ 'GET /api/owner/bookings': { items: [booking({ state: 'confirmed' }), booking({ id: 5, state: 'confirmed', startsAt: '2026-11-25T02:00:00Z' }), queued] } })
    let use!: ReturnType<typeof useHomeBookings>
    mount({ setup: () => ((use = useHomeBookings()), () => null) })
    const { shown, more, refresh } = use
    await refresh()
    expect(shown.value.map((b) => b.id)).toEqual([4, 3])
    expect(more.value).toBe(1)
    serve(() => 'offline')
    await refresh()
    expect(shown.value).toHaveLength(2)
    expect(storage.get(BOOKINGS_KEY)).toHaveLength(3)
    serve(() => problem(404, 'member.not_joined'))
    await refresh()
    expect(shown.value).toHaveLength(0)
  })
})
