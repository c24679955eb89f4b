import { describe, expect, it, vi } from 'vitest'
import { flushPromises, mount } from '@vue/test-utils'
import { writeSession } from '@/api/tokens'
import CodePage from '@/pages/code/index.vue'
import HomePage from '@/pages/home/index.vue'
import JoinPage from '@/pages/join/index.vue'
import ReceiptPage from '@/pages/receipt/index.vue'
import RecordsPage from '@/pages/records/index.vue'
import TopupPage from '@/pages/topup/index.vue'
import TopupResult from '@/pages/topup/result.vue'
import { usePulse } from '@/stores/pulse'
import { HOME_KEY } from '@/utils/local-data'
import { luhnValid } from '@/utils/member-code'
import { CHARTER, HOME, PLANS, RECEIPT, record } from './fixtures'
import { fireHook, pageQuery } from './stubs/uni-app'
import { problem, sent, serve, serveMap, session, storage } from './support'

const loggedIn = () => writeSession('owner', session())
const press = async (wrapper: ReturnType<typeof mount>, text: string) => {
  const target = wrapper.findAll('button, .chip, .reason, .agree, .plan, [role=button]').find((b) => b.text().includes(text))
  if (!target) throw new Error(`no "${text}" in ${wrapper.text()}`)
  await target.trigger('tap')
  await flushPromises()
}

describe('home', () => {
  it('shows card, balance and last records', async () => {
    loggedIn()
    serveMap({ 'GET /api/owner/home': HOME, 'GET /api/owner/pulse': { seq: 5, items: [] } })
    const page = mount(HomePage)
    await flushPromises()
    for (const text of ['金卡会员', '9.5 折', '¥368.00', '8800 2031 4477', '1,280 积分', '精致洗车']) expect(page.text()).toContain(text)
    page.unmount()
    usePulse().stop()
  })

  it('offers to join where there is no card, and to log in where there is no login', async () => {
    loggedIn()
    serve(() => problem(404, 'member.not_joined', '还不是会员'))
    const stranger = mount(HomePage)
    await flushPromises()
    expect(stranger.text()).toContain('免费领取会员卡')
    expect(sent.some((r) => r.path.endsWith('/pulse'))).toBe(false) // nothing to watch without a card
  })

  it('shows the cached card with its age while offline', async () => {
    loggedIn()
    storage.set(HOME_KEY, { at: Date.now() - 3 * 60_000 - 5000, home: HOME })
    serve(() => 'offline')
    const page = mount(HomePage)
    await flushPromises()
    expect(page.text()).toContain('离线 · 3 分钟前')
    expect(page.text()).toContain('¥368.00')
    usePulse().stop()
  })

  it('slides in a deduction that the pulse brings, and opens its receipt', async () => {
    loggedIn()
    const fresh = record(9, 'consume', { at: new Date().toISOString(), deltaFen: -3500, paidFen: 3500, balanceAfterFen: 33300, orderId: 31 })
    let seq = 5
    serveMap({
      'GET /api/owner/home': HOME,
      'GET /api/owner/pulse': () => ({ data: { seq, items: seq > 5 ? [fresh] : [] } }),
    })
    vi.useFakeTimers()
    const page = mount(HomePage)
    await vi.advanceTimersByTimeAsync(100)
    expect(page.find('.notice').exists()).toBe(false)
    seq = 9
    await vi.advanceTimersByTimeAsync(1600) // within two seconds
    expect(page.find('.notice').text()).toContain('刚刚在 静安店 消费 ¥35.00')
    expect(page.find('.notice').text()).toContain('余额 ¥333.00')
    await page.find('.notice').trigger('tap')
    expect(uni.navigateTo).toHaveBeenCalledWith({ url: '/pages/receipt/index?id=31' })
    await fireHook('onHide')
    const calls = sent.length
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sent.length).toBe(calls) // a hidden page does not poll
  })
})

describe('member code page', () => {
  it('registers once, shows 6-6-6, and works offline afterwards', async () => {
    loggedIn()
    const secret = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')
    serveMap({
      'GET /api/owner/home': HOME,
      'GET /api/owner/pulse': { seq: 1, items: [] },
      'POST /api/owner/code-devices': { deviceNo: '123456789', secret, stepSeconds: 60, serverTime: new Date().toISOString() },
    })
    const first = mount(CodePage)
    await flushPromises()
    const shown = first.find('.digits').text()
    expect(shown).toMatch(/^123456 789\d{3} \d{6}$/)
    expect(luhnValid(shown.replace(/ /g, ''))).toBe(true)
    await fireHook('onUnload')
    first.unmount()

    serve(() => 'offline')
    const second = mount(CodePage)
    await flushPromises()
    expect(second.find('.digits').text()).toMatch(/^123456 789\d{3} \d{6}$/)
    await fireHook('onUnload')
    usePulse().stop()
  })
})

describe('top-up', () => {
  const open = async () => {
    loggedIn()
    serveMap({
      'GET /api/owner/topup-plans': PLANS,
      'POST /api/owner/topups': { topupId: 7, amountFen: 50000, bonusFen: 8000, expiresAt: '', pay: { package: 'prepay_id=1' } },
      'GET /api/owner/pulse': { seq: 1, items: [] },
    })
    ;(wx.requestPayment as any).mockImplementation((o: any) => o.success())
    const page = mount(TopupPage)
    await flushPromises()
    return page
  }

  it('shows bonus and total, and says the amount in the button', async () => {
    const page = await open()
    expect(page.text()).toContain('送 80 元')
    expect(page.find('.bottom-bar').text()).toBe('微信支付 ¥500.00')
    expect(page.find('.facts').text()).toContain('¥580.00')
  })

  it('explains the cap of the card and the limits of a custom amount', async () => {
    const page = await open()
    await press(page, '其他金额')
    const field = page.find('input')
    await field.setValue('5')
    expect(page.text()).toContain('最少充 ¥10.00')
    await field.setValue('4800')
    expect(page.text()).toContain('每张卡最多存 ¥5,000.00，您还可以充 ¥4,632.00')
    expect(page.find('.bottom-bar button').attributes('disabled')).toBeDefined()
  })

  it.runIf(process.env.UNI_PLATFORM !== 'h5')('asks for messages, pays, and goes to the result', async () => {
    storage.set('lc.config', { templates: { deduction: 'T1', topup: 'T2', refund: '' } })
    const page = await open()
    await press(page, '微信支付')
    await flushPromises()
    const post = sent.find((r) => r.path === '/api/owner/topups')!
    expect(post.data).toEqual({ planId: 1, amountFen: 50000 })
    expect(post.header['idempotency-key']).toBeTruthy()
    expect(sent.find((r) => r.path === '/api/owner/grants')!.data.results).toEqual([
      { templateId: 'T1', result: 'accept' },
      { templateId: 'T2', result: 'accept' },
    ])
    expect(uni.redirectTo).toHaveBeenCalledWith({ url: '/pages/topup/result?id=7&from=paid' })
    usePulse().stop()
  })

  it('polls the result, asking WeChat now and then, until the money is there', async () => {
    loggedIn()
    pageQuery.id = '7'
    let state = 'pending'
    const answer = () => ({ data: { id: 7, state, amountFen: 50000, bonusFen: 8000, createdAt: new Date().toISOString(), balanceAfterFen: 94800, message: '' } })
    serveMap({ 'GET /api/owner/topups/7': answer, 'POST /api/owner/topups/7/check': answer, 'GET /api/owner/home': HOME, 'GET /api/owner/pulse': { seq: 1, items: [] } })
    vi.useFakeTimers()
    const page = mount(TopupResult)
    await vi.advanceTimersByTimeAsync(7000)
    expect(page.text()).toContain('正在确认付款')
    expect(sent.some((r) => r.path.endsWith('/check'))).toBe(true)
    state = 'credited'
    await vi.advanceTimersByTimeAsync(2000)
    expect(page.text()).toContain('充值到账')
    expect(page.text()).toContain('余额 ¥948.00')
    await fireHook('onUnload')
  })
})

describe('records', () => {
  it('filters, pages, and groups by day', async () => {
    loggedIn()
    serve((r) =>
      r.path === '/api/owner/records'
        ? { data: r.url.includes('after=') ? { items: [record(3, 'consume')] } : { items: [record(1, 'topup'), record(2, 'consume')], next: 'c2' } }
        : { data: { seq: 1, items: [] } },
    )
    const page = mount(RecordsPage)
    await flushPromises()
    expect(page.findAll('.record')).toHaveLength(2)
    await fireHook('onReachBottom')
    await flushPromises()
    expect(page.findAll('.record')).toHaveLength(3)
    await press(page, '充值')
    expect(sent.at(-1)!.url).toContain('kind=topup')
    usePulse().stop()
  })

  it('has an empty state and an error state, each with one action', async () => {
    loggedIn()
    serve((r) => ({ data: r.path.endsWith('/records') ? { items: null } : { seq: 1, items: [] } }))
    const empty = mount(RecordsPage)
    await flushPromises()
    expect(empty.text()).toContain('还没有记录')
    expect(empty.findAll('.state button')).toHaveLength(1)
    serve(() => ({ status: 503 }))
    const broken = mount(RecordsPage)
    await flushPromises()
    expect(broken.text()).toContain('没有加载出来')
    expect(broken.findAll('.state button')).toHaveLength(1)
    usePulse().stop()
  })
})

describe('receipt', () => {
  it('explains its lines and takes a dispute', async () => {
    loggedIn()
    pageQuery.id = '31'
    serveMap({
      'GET /api/owner/orders/31': { ...RECEIPT, memberName: '林**' },
      'POST /api/owner/orders/31/dispute': { ...RECEIPT, dispute: { id: 1, status: 'open', reason: 'amount', note: '多算了', at: new Date().toISOString() } },
      'GET /api/owner/pulse': { seq: 1, items: [] },
    })
    const page = mount(ReceiptPage)
    await flushPromises()
    expect(page.text()).toContain('服务 88.00 × 5% = 4.40 元')
    expect(page.text()).toContain('卡内余额')
    expect(page.text()).not.toContain('林**') // one's own name is needless
    await press(page, '有疑问')
    await press(page, '金额不对')
    await page.find('textarea').setValue('多算了')
    await press(page, '提交疑问')
    expect(sent.find((r) => r.path.endsWith('/dispute'))!.data).toEqual({ reason: 'amount', note: '多算了' })
    expect(page.text()).toContain('疑问处理中')
    expect(page.text()).toContain('您说：金额不对：多算了')
    usePulse().stop()
  })
})

describe('join', () => {
  const type = async (page: ReturnType<typeof mount>, value: string) => {
    const field = page.find('input')
    ;(field.element as HTMLInputElement).value = value
    field.element.dispatchEvent(Object.assign(new Event('input'), { detail: { value } }))
    await flushPromises()
  }
  const toPhone = async () => {
    loggedIn()
    const page = mount(JoinPage)
    await flushPromises()
    expect(page.find('button').attributes('disabled')).toBeDefined() // nothing without reading and agreeing
    await press(page, '我已阅读')
    await press(page, '同意并继续')
    return page
  }
  const base = {
    'GET /api/owner/charter': CHARTER,
    'GET /api/owner/vehicle-classes': { items: [] },
    'GET /api/owner/home': HOME,
  }

  it('joins with a typed phone where nobody is forced to use the component', async () => {
    serveMap({ ...base, 'POST /api/owner/join': { status: 'active', memberId: 1, cardNo: '880020314477' } })
    const page = await toPhone()
    if (page.text().includes('手动输入')) await press(page, '手动输入')
    await type(page, '13800006688')
    await press(page, '下一步')
    await type(page, '林晓舟')
    await press(page, '下一步')
    await press(page, '以后再添加车辆')
    const post = sent.find((r) => r.path === '/api/owner/join')!
    expect(post.data).toEqual({ charterVersion: 3, phone: '13800006688', name: '林晓舟', gender: 'unknown' })
    expect(post.header['idempotency-key']).toBeTruthy()
    expect(page.text()).toContain('会员卡到手啦')
  })

  it.runIf(process.env.UNI_PLATFORM !== 'h5')('offers to bind when the verified phone has a card', async () => {
    serveMap({
      ...base,
      'POST /api/owner/phone': { phoneToken: 'pt', phoneMasked: '138****6688', taken: true, bind: { nameMasked: '林*舟', cardNoMasked: '8800 **** 4477', tierName: '金卡会员' } },
      'POST /api/owner/bind': { status: 'active', memberId: 1, cardNo: '880020314477' },
    })
    const page = await toPhone()
    page.find('button[open-type=getPhoneNumber]').element.dispatchEvent(Object.assign(new Event('getphonenumber'), { detail: { code: 'ph-1' } }))
    await flushPromises()
    expect(page.text()).toContain('林*舟')
    await press(page, '绑定这张卡')
    expect(sent.find((r) => r.path === '/api/owner/bind')!.data).toEqual({ phoneToken: 'pt', charterVersion: 3 })
    expect(page.text()).toContain('会员卡到手啦')
  })
})
