import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readSession } from '@/api/tokens'
import { useSession } from '@/stores/session'
import { useStaff } from '@/stores/staff'
import { sent, serveMap, session } from './support'

const isH5 = process.env.UNI_PLATFORM === 'h5'
const JSAPI = { appId: 'wx1', timeStamp: '1', nonceStr: 'n', package: 'prepay_id=1', signType: 'RSA', paySign: 's' }
const STAFF = { id: 1, name: '小王', username: '', roles: [], permissions: [], stores: [{ id: 3, name: '静安店' }], wechatBound: true }

describe.runIf(!isH5)('mini-program', () => {
  it('logs in with a js_code, without asking', async () => {
    serveMap({ 'POST /api/owner/session': { session: session() } })
    expect(await useSession().ensure()).toBe(true)
    expect(sent[0]!.data).toEqual({ channel: 'mini_program', code: 'js-code' })
    expect(readSession('owner')?.accessToken).toBe('T1')
  })

  it('logs staff in with a js_code and the invite code', async () => {
    serveMap({ 'POST /api/staff/session': { session: session(), staff: STAFF } })
    const staff = useStaff()
    expect(await staff.loginByWeChat('INV-1')).toBe(true)
    expect(sent[0]!.data).toEqual({ method: 'mini_program', code: 'js-code', inviteCode: 'INV-1' })
    expect(staff.storeId).toBe(3) // somebody with one store never has to choose
  })

  it('maps the pay sheet’s endings', async () => {
    const { platform } = await import('@/platform/mp-weixin')
    const pay = wx.requestPayment as unknown as ReturnType<typeof vi.fn>
    pay.mockImplementationOnce((o) => o.success())
    expect(await platform.pay(JSAPI)).toBe('paid')
    expect(pay.mock.calls[0]![0]).toMatchObject({ package: 'prepay_id=1', paySign: 's' })
    pay.mockImplementationOnce((o) => o.fail({ errMsg: 'requestPayment:fail cancel' }))
    expect(await platform.pay(JSAPI)).toBe('cancelled')
    pay.mockImplementationOnce((o) => o.fail({ errMsg: 'requestPayment:fail jsapi has no permission' }))
    await expect(platform.pay(JSAPI)).rejects.toThrow('微信支付没有打开')
  })

  it('reports every subscription answer and survives a refusal', async () => {
    const { platform } = await import('@/platform/mp-weixin')
    expect(await platform.askSubscribe(['A', 'B'])).toEqual([
      { templateId: 'A', result: 'accept' },
      { templateId: 'B', result: 'accept' },
    ])
    ;(wx.requestSubscribeMessage as any).mockImplementationOnce((o: any) => o.fail({ errMsg: 'no' }))
    expect(await platform.askSubscribe(['A'])).toEqual([])
  })

  it('puts the brightness back', async () => {
    const { platform } = await import('@/platform/mp-weixin')
    platform.brighten(true)
    platform.brighten(false)
    const set = (wx.setScreenBrightness as any).mock.calls.map(([o]: any) => o.value)
    expect(set).toEqual([1, 0.4])
    expect(wx.setKeepScreenOn).toHaveBeenLastCalledWith({ keepScreenOn: false })
  })
})

describe.runIf(isH5)('H5', () => {
  const replaceState = vi.spyOn(history, 'replaceState')

  /** The module reads the address when it is loaded, so each case loads it anew. */
  async function openAt(url: string) {
    vi.resetModules()
    window.happyDOM.setURL(`http://127.0.0.1:8080${url}`)
    replaceState.mockClear()
    const { createPinia, setActivePinia } = await import('pinia')
    setActivePinia(createPinia())
    return {
      platform: (await import('@/platform/h5')).platform,
      session: (await import('@/stores/session')).useSession(),
      staff: (await import('@/stores/staff')).useStaff(),
    }
  }
  beforeEach(() => sessionStorage.clear())
  afterEach(() => {
    delete window.__wxsandbox
    delete window.WeixinJSBridge
  })

  it('exchanges the ticket of the login redirect and removes it from the address', async () => {
    serveMap({ 'POST /api/owner/session': { session: session() } })
    const { session: store } = await openAt('/h5/?ticket=tk-1#/pages/home/index')
    expect(replaceState.mock.calls[0]![2]).toBe('/h5/#/pages/home/index')
    expect(await store.ensure()).toBe(true)
    expect(sent[0]!.data).toEqual({ channel: 'ticket', code: 'tk-1' })
  })

  it('uses a ticket once, and one for staff only for staff', async () => {
    serveMap({ 'POST /api/staff/session': { session: session(), staff: STAFF } })
    const { session: owner, staff, platform } = await openAt('/h5/?ticket=tk-2#/pkg-staff/login/index')
    expect(await owner.ensure()).toBe(false)
    expect(await staff.takeTicket()).toBe(true)
    expect(sent[0]!.data).toEqual({ method: 'ticket', code: 'tk-2' })
    expect(await platform.silentLogin('staff')).toBeNull()
  })

  it('goes to the login redirect when nothing else is known', async () => {
    const { platform } = await openAt('/h5/#/pages/home/index')
    const href = vi.spyOn(window.location, 'href', 'set').mockImplementation(() => {})
    expect(await platform.login('staff', '/pkg-staff/login/index', 'INV')).toBeNull()
    expect(href).toHaveBeenCalledWith('/hooks/oauth/start?for=staff&to=%2Fpkg-staff%2Flogin%2Findex&invite=INV')
    href.mockRestore()
  })

  it('inside WeChat logs in by itself, once; who then logs out is asked', async () => {
    const agent = vi.spyOn(window.navigator, 'userAgent', 'get').mockReturnValue('Mozilla/5.0 MicroMessenger/8.0.50')
    const { session: store } = await openAt('/h5/#/pages/club/coupons/index')
    const href = vi.spyOn(window.location, 'href', 'set').mockImplementation(() => {})
    let settled = false
    void store.ensure().then(() => (settled = true))
    await new Promise((done) => setTimeout(done))
    expect(href).toHaveBeenCalledWith('/hooks/oauth/start?for=owner&to=%2Fpages%2Fclub%2Fcoupons%2Findex')
    expect(settled).toBe(false) // the page is being left
    expect(await store.ensure()).toBe(false)
    expect(href).toHaveBeenCalledTimes(1)
    href.mockRestore()
    agent.mockRestore()
  })

  it('logs in with a js_code when opened as the mini-program, and asks the bridge later', async () => {
    serveMap({ 'POST /api/owner/session': { session: session() } })
    const { session: store, platform } = await openAt('/h5/?mp_code=js-1#/pages/home/index')
    window.__wxsandbox = { login: async () => ({ code: 'js-2' }) } as never
    await store.ensure()
    expect(sent[0]!.data).toEqual({ channel: 'mini_program', code: 'js-1' })
    expect(await platform.silentLogin('owner')).toEqual({ channel: 'mini_program', code: 'js-2' })
  })

  it('explains a login that failed, once', async () => {
    const { platform, session: store } = await openAt('/h5/?loginError=wechat.unavailable#/pages/home/index')
    expect(store.loginError).toContain('微信暂时连不上')
    expect(platform.takeLoginError()).toBe('')
  })

  it('pays through WeixinJSBridge, also when it comes late', async () => {
    const { platform } = await openAt('/h5/')
    const paying = platform.pay(JSAPI)
    window.WeixinJSBridge = { invoke: (name, args, done) => done({ err_msg: `get_brand_wcpay_request:${args.paySign === 's' && name === 'getBrandWCPayRequest' ? 'ok' : 'fail'}` }) }
    document.dispatchEvent(new Event('WeixinJSBridgeReady'))
    expect(await paying).toBe('paid')
    window.WeixinJSBridge.invoke = (_n, _a, done) => done({ err_msg: 'get_brand_wcpay_request:cancel' })
    expect(await platform.pay(JSAPI)).toBe('cancelled')
    window.WeixinJSBridge.invoke = (_n, _a, done) => done({ err_msg: 'get_brand_wcpay_request:fail' })
    await expect(platform.pay(JSAPI)).rejects.toThrow('微信支付没有完成')
  })

  it('forces no phone component where there is none', async () => {
    const { platform } = await openAt('/h5/')
    expect(platform.phoneBridge()).toBe(false)
    expect(await platform.askSubscribe(['A'])).toEqual([])
    window.__wxsandbox = {
      getPhoneNumber: async () => ({ code: 'ph', errMsg: 'ok' }),
      requestSubscribeMessage: async () => ({ A: 'reject' }),
    } as never
    expect(await platform.requestPhone()).toBe('ph')
    expect(await platform.askSubscribe(['A'])).toEqual([{ templateId: 'A', result: 'reject' }])
  })
})
