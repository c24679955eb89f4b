import { describe, expect, it } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import { writeSession } from '@/api/tokens'
import DeskPage from '@/pkg-staff/desk/index.vue'
import LoginPage from '@/pkg-staff/login/index.vue'
import OrderPage from '@/pkg-staff/order/index.vue'
import PayPage from '@/pkg-staff/pay/index.vue'
import { useDesk } from '@/pkg-staff/desk-store'
import { quoteChanges } from '@/pkg-staff/quote-changes'
import { fillRest, mixProblem, restOf, startMix, tendersOf } from '@/pkg-staff/tenders'
import { useStaff } from '@/stores/staff'
import { memberCode } from '@/utils/member-code'
import { DESK_MEMBER, quote, RECEIPT } from './fixtures'
import { fireHook, pageQuery } from './stubs/uni-app'
import { problem, sent, serve, serveMap, session } from './support'

const ME = {
  id: 1, name: '小王', username: 'wang', roles: [{ id: 1, name: '前台' }], wechatBound: false, stores: [{ id: 3, name: '静安店' }],
  permissions: ['member.read', 'member.write', 'checkout.settle', 'checkout.reverse', 'topup.desk'],
}
function atDesk() {
  writeSession('staff', session())
  const staff = useStaff()
  staff.me = ME as never
  staff.chooseStore(3)
  return staff
}
const press = async (wrapper: ReturnType<typeof mount>, text: string) => {
  const target = wrapper.findAll('button, .chip, .pick').find((b) => b.text().includes(text))
  if (!target) throw new Error(`no "${text}" in ${wrapper.text()}`)
  await target.trigger('tap')
  await flushPromises()
}
const type = async (wrapper: ReturnType<typeof mount>, selector: string, value: string) => {
  const field = wrapper.find(selector)
  ;(field.element as HTMLInputElement).value = value
  field.element.dispatchEvent(Object.assign(new Event('input'), { detail: { value } }))
  await flushPromises()
}

describe('tenders', () => {
  it('fill the rest, never more than the balance', () => {
    expect(fillRest(8360, {}, 'balance', 5000)).toEqual({ balance: 5000 })
    expect(fillRest(8360, { balance: 5000 }, 'cash')).toEqual({ balance: 5000, cash: 3360 })
    expect(fillRest(8360, { cash: 9000 }, 'balance', 5000)).toEqual({ cash: 9000 })
    expect(restOf(8360, { balance: 5000, cash: 3360 })).toBe(0)
  })
  it('start from the server’s suggestion, else from the balance', () => {
    expect(startMix(quote({ suggestion: [{ kind: 'cash', label: '', amountFen: 8360 }] }))).toEqual({ cash: 8360 })
    expect(startMix(quote())).toEqual({ balance: 5000 })
    expect(startMix(quote({ balance: undefined }))).toEqual({})
  })
  it('must add up and name their references', () => {
    expect(mixProblem(8360, { balance: 8360 }, 5000, {}, undefined)).toContain('余额不够')
    expect(mixProblem(8360, { balance: 5000 }, 5000, {}, undefined)).toBe('rest')
    expect(mixProblem(8360, { cash: 9000 }, 0, {}, undefined)).toBe('over')
    expect(mixProblem(8360, { alipay: 8360 }, 0, {}, undefined)).toContain('凭证号')
    expect(mixProblem(8360, { alipay: 8360 }, 0, { alipay: '2026' }, undefined)).toBe('')
    expect(mixProblem(8360, { cash: 8360 }, 0, {}, 5000)).toContain('实收现金不够')
    expect(mixProblem(8360, { cash: 8360 }, 0, {}, 10000)).toBe('')
  })
  it('send only what each kind needs', () => {
    expect(tendersOf({ balance: 5000, cash: 3000, card: 360 }, { card: ' P1 ', alipay: 'x' }, 5000)).toEqual([
      { kind: 'balance', amountFen: 5000 },
      { kind: 'cash', amountFen: 3000, receivedFen: 5000 },
      { kind: 'card', amountFen: 360, reference: 'P1' },
    ])
  })
  it('say what changed between two quotes', () => {
    const next = quote({ totalFen: 8860, lines: [{ ...quote().lines![0]!, amountFen: 9300 }, quote().lines![1]!] })
    expect(quoteChanges(quote(), next)).toEqual([{ title: '精致洗车', before: '¥88.00', after: '¥93.00' }])
  })
})

describe('staff login', () => {
  it('asks for the invite code when WeChat’s identity is unknown', async () => {
    serve(() => problem(401, 'staff.not_bound', '请输入店长给您的邀请码'))
    const page = mount(LoginPage)
    await flushPromises()
    if (process.env.UNI_PLATFORM === 'h5') return
    await press(page, '微信登录')
    expect(page.text()).toContain('邀请码')
  })
  it('logs in with user name and password', async () => {
    serveMap({ 'POST /api/staff/session': { session: session('S'), staff: ME } })
    const page = mount(LoginPage)
    await flushPromises()
    const fields = page.findAll('input')
    await fields.at(-2)!.setValue('wang')
    await fields.at(-1)!.setValue('secret-password')
    const buttons = page.findAll('button').filter((b) => b.text() === '登录')
    await buttons[0]!.trigger('tap')
    await flushPromises()
    expect(sent[0]!.data).toEqual({ method: 'password', username: 'wang', password: 'secret-password' })
    expect(uni.reLaunch).toHaveBeenCalledWith({ url: '/pkg-staff/desk/index' })
    await fields.at(-1)!.trigger('confirm', { detail: { value: 'typed-at-once' } })
    await flushPromises()
    expect(sent[1]!.data).toMatchObject({ password: 'typed-at-once' })
  })
})

describe('desk', () => {
  const code = memberCode(new Uint8Array(32), '123456789', 29000000)
  it('takes a typed or scanned-in code, and looks everything else up', async () => {
    atDesk()
    serveMap({ 'POST /api/staff/scan': { ...DESK_MEMBER, scanId: 9 }, 'GET /api/staff/lookup': { items: [] }, 'GET /api/staff/today': { settledCount: 0, settledFen: 0, items: [] } })
    const page = mount(DeskPage)
    await flushPromises()
    const field = page.find('input')
    await field.setValue(`LC1:${code}`)
    await field.trigger('confirm', { detail: { value: (field.element as HTMLInputElement).value } })
    await flushPromises()
    expect(sent.find((r) => r.path === '/api/staff/scan')!.data).toEqual({ storeId: 3, code })
    expect(uni.navigateTo).toHaveBeenCalledWith({ url: '/pkg-staff/member/index?id=1&scanned=1' })
    await field.setValue('6688')
    await field.trigger('confirm', { detail: { value: (field.element as HTMLInputElement).value } })
    await flushPromises()
    expect(sent.at(-1)!.url).toContain('/api/staff/lookup?storeId=3&q=6688')
    expect(page.text()).toContain('没有“6688”的会员')
  })
  it('always shows a list, also for one hit, and says why a code is refused', async () => {
    atDesk()
    serveMap({
      'GET /api/staff/lookup': { items: [{ kind: 'member', memberId: 1, nameMasked: '林*舟', phoneMasked: '138****6688', plates: ['沪A8K316'], visits: 2 }] },
      'POST /api/staff/scan': () => problem(409, 'member.code_used', '这个会员码已经用过，请等会员码更新后再扫'),
    })
    const page = mount(DeskPage)
    await flushPromises()
    const field = page.find('input')
    await field.setValue('6688')
    await field.trigger('confirm', { detail: { value: (field.element as HTMLInputElement).value } })
    await flushPromises()
    expect(page.text()).toContain('找到 1 位，请核对后选择')
    expect(uni.navigateTo).not.toHaveBeenCalled()
    await field.setValue(code)
    await field.trigger('confirm', { detail: { value: (field.element as HTMLInputElement).value } })
    await flushPromises()
    expect(page.text()).toContain('这个会员码已经用过')
  })
})

describe('settling', () => {
  const open = () => {
    atDesk()
    const desk = useDesk()
    desk.request = { storeId: 3, memberId: 1, plate: '沪A8K316', vehicleClassId: 2, items: [{ kind: 'service', id: 1, qty: 1 }] }
    desk.quote = quote()
    return { desk, page: mount(PayPage) }
  }

  it('offers a mix when the balance is short, and settles with it', async () => {
    const { page } = open()
    serveMap({ 'POST /api/staff/checkouts': RECEIPT })
    await flushPromises()
    expect(page.text()).toContain('还差 ¥33.60')
    await press(page, '现金')
    expect(page.find('.bottom-bar').text()).toBe('确认收款 ¥83.60')
    await press(page, '确认收款')
    const post = sent.find((r) => r.path === '/api/staff/checkouts')!
    expect(post.data).toMatchObject({
      quoteHash: 'h1',
      tenders: [{ kind: 'balance', amountFen: 5000 }, { kind: 'cash', amountFen: 3360 }],
    })
    expect(post.header['idempotency-key']).toBeTruthy()
    expect(uni.reLaunch).toHaveBeenCalledWith({ url: '/pkg-staff/desk/index' }) // opened without the till below it
  })

  it('leaves the pages that could bill twice: back from the receipt is the till', async () => {
    const { desk, page } = open()
    ;(globalThis as any).getCurrentPages = () => ['desk', 'member', 'checkout', 'pay'].map((name) => ({ route: `pkg-staff/${name}/index` }))
    serveMap({ 'POST /api/staff/checkouts': RECEIPT, 'GET /api/staff/today': { settledCount: 1, settledFen: 8360, items: [] } })
    await flushPromises()
    await press(page, '现金')
    await press(page, '确认收款')
    expect(uni.navigateBack).toHaveBeenCalledWith(expect.objectContaining({ delta: 3 }))
    expect([desk.quote, desk.request, desk.member]).toEqual([null, null, null])
    expect(page.text()).toContain('这张单已经处理完了')
    mount(DeskPage) // the till shows again and opens the receipt once
    await flushPromises()
    expect(uni.navigateTo).toHaveBeenCalledWith(expect.objectContaining({ url: '/pkg-staff/order/index?id=31&fresh=1' }))
    mount(DeskPage)
    await flushPromises()
    expect(uni.navigateTo).toHaveBeenCalledTimes(1)
  })

  it('shows the whole balance, not what this bill may use of it, and which tender fills the gap', async () => {
    const { desk, page } = open()
    await flushPromises()
    expect(page.find('.pick').text()).toContain('余额 50.00')
    await press(page, '支付宝')
    expect(page.find('.mixes .on').text()).toBe('支付宝')
    desk.quote = quote({ balance: { availableFen: 10000, usableFen: 8360, missingFen: 0 } })
    await flushPromises()
    expect(page.find('.pick').text()).toContain('余额 100.00')
  })

  it('keeps what is typed as it is typed, and counts the change', async () => {
    const { page } = open()
    await flushPromises()
    await press(page, '现金')
    await type(page, '.extra input', '50')
    const field = page.findAll('.amount').at(2)!
    await type(page, '.tender:nth-child(4) .amount', '3')
    expect((field.element as HTMLInputElement).value).toBe('3')
  })

  it('shows a changed price and asks again', async () => {
    const { page, desk } = open()
    const next = quote({ quoteHash: 'h2', totalFen: 9360 })
    serveMap({ 'POST /api/staff/checkouts': () => problem(409, 'checkout.quote_changed', '价格有变化', { quote: next }) })
    await flushPromises()
    await press(page, '现金')
    await press(page, '确认收款')
    expect(page.text()).toContain('价格有变化')
    expect(page.text()).toContain('按新价格 ¥93.60 继续')
    await press(page, '按新价格')
    expect(desk.quote?.quoteHash).toBe('h2')
    expect(sent.filter((r) => r.path === '/api/staff/checkouts')).toHaveLength(1) // nothing was charged meanwhile
  })
})

describe('order', () => {
  it('cancelled before payment is quoted again, to be settled in another way', async () => {
    atDesk()
    pageQuery.id = '31'
    const desk = useDesk()
    const request = { storeId: 3, plate: '沪A8K316', vehicleClassId: 2, items: [{ kind: 'service' as const, id: 1, qty: 1 }] }
    desk.unpaid = { orderId: 31, request }
    const waiting = { ...RECEIPT, status: 'awaiting_payment', canReverse: false }
    serveMap({
      'GET /api/staff/orders/31': waiting,
      'POST /api/staff/orders/31/cancel': { ...waiting, status: 'cancelled' },
      'POST /api/staff/quotes': quote({ quoteHash: 'h9' }),
    })
    const page = mount(OrderPage)
    await flushPromises()
    await press(page, '取消，换一种方式收款')
    expect(desk.quote?.quoteHash).toBe('h9')
    expect(uni.redirectTo).toHaveBeenCalledWith({ url: '/pkg-staff/pay/index' })
    await fireHook('onUnload')
  })
  it('says who was served as the till knew them', async () => {
    atDesk()
    pageQuery.id = '31'
    useDesk().member = { ...DESK_MEMBER, name: '何**' }
    serveMap({ 'GET /api/staff/orders/31': { ...RECEIPT, memberId: 1, memberName: '何**' } })
    const page = mount(OrderPage)
    await flushPromises()
    expect(page.text()).toContain('何女士')
    await fireHook('onUnload')
  })
  it('reverses with a reason, saying the amount', async () => {
    atDesk()
    pageQuery.id = '31'
    serveMap({
      'GET /api/staff/orders/31': RECEIPT,
      'POST /api/staff/orders/31/reverse': { ...RECEIPT, status: 'reversed', canReverse: false, reversal: { at: RECEIPT.at, reason: '金额不对', staffName: '小王' } },
    })
    const page = mount(OrderPage)
    await flushPromises()
    await press(page, '撤销 ¥83.60')
    await press(page, '金额不对')
    await press(page, '确认撤销 ¥83.60')
    expect(sent.at(-1)!.data).toEqual({ reason: '金额不对' })
    expect(page.text()).toContain('已撤销')
    await fireHook('onUnload')
  })
})
