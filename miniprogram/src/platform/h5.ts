import type { GrantResult } from '@/api/types'
import { PlatformError, type Audience, type LoginProof, type Platform } from './types'

interface WeixinBridge {
  invoke(name: string, args: Record<string, unknown>, done: (result: { err_msg: string }) => void): void
}

/** Offered by the demo's sandbox phone when it shows these pages as if they were the mini-program. */
interface SandboxBridge {
  login(): Promise<{ code: string }>
  requestSubscribeMessage(ids: string[]): Promise<Record<string, 'accept' | 'reject'>>
  getPhoneNumber(): Promise<{ code?: string; errMsg: string }>
  scanCode(): Promise<string | null>
  requirePrivacyAuthorize(): Promise<void>
  isMiniProgram?: boolean
}

declare global {
  interface Window {
    WeixinJSBridge?: WeixinBridge
    __wxsandbox?: SandboxBridge
  }
}

const LOGIN_FAULTS: Record<string, string> = {
  'wechat.unavailable': '微信暂时连不上，请稍后再登录一次',
  'wechat.rejected': '微信没有受理这次登录，请稍后再试',
  'wechat.quota': '微信接口正忙，请一分钟后再试',
  'wechat.code_invalid': '这次授权已经用过了，请再登录一次',
  'wechat.snapshot': '当前是预览模式，请点页面下方“使用完整服务”后再登录',
  'wechat.not_configured': '门店还没有开通微信登录，请联系门店',
  'member.oauth_state': '登录页面停留太久了，请再登录一次',
  'member.oauth_denied': '您没有同意微信登录，需要时可以再试',
  'member.ticket_used': '登录凭据已失效，请再登录一次',
}

const BRIDGE_WAIT_MS = 3000
/** Set for this tab when it was opened as the mini-program: later logins take a js_code as well. */
const AS_MINI_PROGRAM = 'lc.mini-program'

/** What the address carried when the page was opened; read once and then removed from the address. */
const arrival: { proof: LoginProof | null; audience: Audience; error: string } = readArrival()

function readArrival() {
  const query = new URLSearchParams(location.search)
  const ticket = query.get('ticket')
  const jsCode = query.get('mp_code')
  const fault = query.get('loginError')
  if (ticket || jsCode || fault) {
    for (const name of ['ticket', 'mp_code', 'loginError']) query.delete(name)
    const rest = query.toString()
    if (jsCode) sessionStorage.setItem(AS_MINI_PROGRAM, '1')
    history.replaceState(history.state, '', location.pathname + (rest ? `?${rest}` : '') + location.hash)
  }
  return {
    proof: ticket
      ? { channel: 'ticket' as const, code: ticket }
      : jsCode
        ? { channel: 'mini_program' as const, code: jsCode }
        : null,
    audience: /^#\/?pkg-staff\//.test(location.hash) ? ('staff' as const) : ('owner' as const),
    error: fault ? (LOGIN_FAULTS[fault] ?? '微信登录没有成功，请再试一次') : '',
  }
}

function bridge(): Promise<WeixinBridge | null> {
  if (window.WeixinJSBridge) return Promise.resolve(window.WeixinJSBridge)
  return new Promise((resolve) => {
    const done = () => resolve(window.WeixinJSBridge ?? null)
    document.addEventListener('WeixinJSBridgeReady', done, { once: true })
    setTimeout(done, BRIDGE_WAIT_MS)
  })
}

const inMiniProgram = () =>
  Boolean(window.__wxsandbox && (window.__wxsandbox.isMiniProgram || sessionStorage.getItem(AS_MINI_PROGRAM)))

async function silentLogin(audience: Audience): Promise<LoginProof | null> {
  if (arrival.proof && arrival.audience === audience) {
    const proof = arrival.proof
    arrival.proof = null
    return proof
  }
  if (!inMiniProgram()) return null
  const { code } = await window.__wxsandbox!.login()
  return { channel: 'mini_program', code }
}

let wakeLock: { release(): Promise<void> } | null = null

export const platform: Platform = {
  name: 'h5',
  apiBase: '',
  get scanner() {
    return inMiniProgram() ? ('native' as const) : ('camera' as const)
  },
  canPrint: true,

  topInset: () => 12,

  hasWeChatScanner: () => Boolean(window.__wxsandbox),

  silentLogin,

  async login(audience, to, invite) {
    const proof = await silentLogin(audience)
    if (proof) return proof
    const query = new URLSearchParams({ for: audience, to })
    if (invite) query.set('invite', invite)
    location.href = `/hooks/oauth/start?${query}`
    return null
  },

  takeLoginError() {
    const message = arrival.error
    arrival.error = ''
    return message
  },

  async pay(params) {
    const wechat = await bridge()
    if (!wechat) throw new PlatformError('请在微信里打开这个页面再付款')
    return new Promise((resolve, reject) => {
      wechat.invoke('getBrandWCPayRequest', { ...params }, ({ err_msg: message }) => {
        if (message === 'get_brand_wcpay_request:ok') resolve('paid')
        else if (message === 'get_brand_wcpay_request:cancel') resolve('cancelled')
        else reject(new PlatformError('微信支付没有完成，请再试一次', message))
      })
    })
  },

  async scan() {
    return window.__wxsandbox ? window.__wxsandbox.scanCode() : null
  },

  phoneBridge: () => Boolean(window.__wxsandbox),

  async requestPhone() {
    const result = await window.__wxsandbox?.getPhoneNumber()
    return result?.code ?? null
  },

  async askSubscribe(templateIds) {
    if (!window.__wxsandbox || !templateIds.length) return []
    const answers = await window.__wxsandbox.requestSubscribeMessage(templateIds)
    return templateIds
      .filter((id) => answers[id])
      .map((templateId) => ({ templateId, result: answers[templateId] as GrantResult['result'] }))
  },

  /** A browser may not change the brightness, but it can keep the screen on. */
  brighten(on) {
    if (!on) {
      void wakeLock?.release().catch(() => {})
      wakeLock = null
      return
    }
    const api = (navigator as unknown as { wakeLock?: { request(kind: 'screen'): Promise<typeof wakeLock> } }).wakeLock
    api
      ?.request('screen')
      .then((lock) => (wakeLock = lock))
      .catch(() => {})
  },

  async requirePrivacy() {
    if (!inMiniProgram()) return true
    return window.__wxsandbox!.requirePrivacyAuthorize().then(
      () => true,
      () => false,
    )
  },

  onPrivacyNeeded() {},
  openPrivacyContract: () => false,

  print() {
    window.print()
  },
}
