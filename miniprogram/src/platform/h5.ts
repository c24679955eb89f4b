import type { GrantResult } from '@/api/types'
import { toGcj02 } from '@/utils/gcj02'
import { jssdk } from './jssdk'
import { PlatformError, type Audience, type LocalPhoto, type LoginProof, type Platform } from './types'

interface WeixinBridge {
  invoke(name: string, args: Record<string, unknown>, done: (result: { err_msg: string }) => void): void
}

/** Offered by the demo's sandbox phone when it shows these pages as if they were the mini-program. */
interface SandboxBridge {
  /** Opened from the phone of the sandbox, as by WeChat. */
  inPhone?: boolean
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
/** Set for this tab when it went to WeChat's silent redirect by itself: who comes back a stranger, or logs out, is asked from then on. */
const WENT_SILENTLY = 'lc.silent-login'

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

const startOf = (query: Record<string, string>) => `/hooks/oauth/start?${new URLSearchParams(query)}`

async function silentLogin(audience: Audience, mayLeave = false): Promise<LoginProof | null> {
  if (arrival.proof && arrival.audience === audience) {
    const proof = arrival.proof
    arrival.proof = null
    return proof
  }
  if (!inMiniProgram()) {
    const inside = inWeChat() || window.__wxsandbox?.inPhone
    if (!mayLeave || audience !== 'owner' || !inside || arrival.error || sessionStorage.getItem(WENT_SILENTLY)) return null
    sessionStorage.setItem(WENT_SILENTLY, '1')
    location.href = startOf({ for: audience, to: location.hash.slice(1) || '/' })
    return new Promise(() => {})
  }
  const { code } = await window.__wxsandbox!.login()
  return { channel: 'mini_program', code }
}

/** Long side of a photo that is sent: enough to see a scratch, a tenth of what a camera takes. */
const PHOTO_PX = 1920
const PHOTO_QUALITY = 0.82

/** A smaller JPEG of a picture; the picture itself when this browser cannot draw it. */
async function shrink(file: File): Promise<LocalPhoto> {
  const image = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null)
  if (!image) return { path: URL.createObjectURL(file), file }
  const scale = Math.min(1, PHOTO_PX / Math.max(image.width, image.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(image.width * scale)
  canvas.height = Math.round(image.height * scale)
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
  image.close()
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', PHOTO_QUALITY))
  const small = blob ? new File([blob], 'photo.jpg', { type: 'image/jpeg' }) : file
  return { path: URL.createObjectURL(small), file: small }
}

const LOCATION_FAULTS: Record<number, string> = {
  1: '没有定位权限，请在浏览器里允许，或直接填写地址',
  2: '没有定到位，请直接填写地址',
  3: '定位太慢了，请直接填写地址',
}

/** WeChat's own browser cannot save files. */
const inWeChat = () => /MicroMessenger/i.test(navigator.userAgent)

let wakeLock: { release(): Promise<void> } | null = null

export const platform: Platform = {
  name: 'h5',
  apiBase: '',
  get scanner() {
    return inMiniProgram() ? ('native' as const) : ('camera' as const)
  },
  canPrint: true,

  topInset: () => 12,

  hasWeChatScanner: () => Boolean(window.__wxsandbox) || inWeChat(),

  silentLogin,

  async login(audience, to, invite) {
    const proof = await silentLogin(audience)
    if (proof) return proof
    location.href = startOf({ for: audience, to, ...(invite && { invite }) })
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
    return window.__wxsandbox ? window.__wxsandbox.scanCode() : inWeChat() ? jssdk.scan() : null
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

  locate() {
    return new Promise((resolve, reject) => {
      if (!navigator.geolocation) return reject(new PlatformError('这个浏览器不能定位，请直接填写地址'))
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => resolve({ ...toGcj02(coords.latitude, coords.longitude), address: '' }),
        (error) => reject(new PlatformError(LOCATION_FAULTS[error.code] ?? LOCATION_FAULTS[2]!, error)),
        { enableHighAccuracy: true, timeout: 10_000, maximumAge: 30_000 },
      )
    })
  },

  mediaUrl: (path) => (path.startsWith('/') ? location.origin + path : path),

  openMap(place, name) {
    const query = new URLSearchParams({ position: `${place.lng},${place.lat}`, name, coordinate: 'gaode', callnative: '1' })
    window.open(`https://uri.amap.com/marker?${query}`, '_blank', 'noopener')
  },

  async addToCalendar(entry) {
    if (inWeChat()) {
      await uni.setClipboardData({ data: `${entry.title}\n${entry.location}`, showToast: false })
      return 'copied'
    }
    const url = URL.createObjectURL(new Blob([entry.ics], { type: 'text/calendar;charset=utf-8' }))
    const link = document.createElement('a')
    link.href = url
    link.download = entry.fileName
    link.click()
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
    return 'added'
  },

  choosePhotos(most) {
    return new Promise((resolve) => {
      const input = document.createElement('input')
      input.type = 'file'
      input.accept = 'image/*'
      input.multiple = most > 1
      input.onchange = () => void Promise.all([...(input.files ?? [])].slice(0, most).map(shrink)).then(resolve)
      input.oncancel = () => resolve([])
      input.click()
    })
  },

  loadImage(_canvas, url) {
    return new Promise((resolve, reject) => {
      const image = new Image()
      image.onload = () => resolve(image)
      image.onerror = () => reject(new PlatformError('图片没有加载出来'))
      image.src = url
    })
  },

  canvasPicture: async (canvas) => (canvas as HTMLCanvasElement).toDataURL('image/png'),

  get savesByPress() {
    return inWeChat()
  },

  async savePicture(picture, fileName) {
    if (inWeChat()) return 'press'
    const link = document.createElement('a')
    link.href = picture
    link.download = fileName
    link.click()
    return 'download'
  },

  sharesPages: false,
  shareCard(card) {
    if (inMiniProgram() || !(window.__wxsandbox || inWeChat())) return
    void jssdk.share({ title: card.title, desc: card.desc ?? '', link: this.pageUrl(card.path), imgUrl: card.picture ? new URL(card.picture, location.href).href : `${location.origin}${location.pathname}static/share.png` })
  },
  pageUrl: (path) => `${location.origin}${location.pathname}#${path}`,
}
