/** WeChat's JS-SDK inside WeChat's browser (or the demo's sandbox, which checks the same signature): signed once for the whole app, because its routes stand behind "#". */

interface Card {
  title: string
  desc: string
  link: string
  imgUrl: string
}

interface Sdk {
  config(options: Record<string, unknown>): void
  ready(done: () => void): void
  error(failed: (fault: { errMsg?: string }) => void): void
  updateAppMessageShareData(card: Card): void
  updateTimelineShareData(card: Omit<Card, 'desc'>): void
  scanQRCode(options: { needResult: 1; scanType: string[]; success(result: { resultStr: string }): void; cancel(): void; fail(): void }): void
}

declare global {
  interface Window {
    jWeixin?: Sdk
  }
}

const SCRIPT = 'https://res.wx.qq.com/open/js/jweixin-1.6.0.js'
const APIS = ['updateAppMessageShareData', 'updateTimelineShareData', 'scanQRCode', 'chooseWXPay', 'hideMenuItems']
/** iPhones sign the address that the browser was opened with, others the present one. */
const entry = location.href.split('#')[0]!

function load(): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = SCRIPT
    script.onload = () => resolve()
    script.onerror = () => reject(new Error('JS-SDK'))
    document.head.append(script)
  })
}

async function configure(sdk: Sdk, page: string): Promise<boolean> {
  const response = await fetch(`/api/owner/jssdk?url=${encodeURIComponent(page)}`)
  if (!response.ok) return false
  const { appId, timestamp, nonceStr, signature } = (await response.json()) as Record<string, string>
  return new Promise((resolve) => {
    sdk.ready(() => resolve(true))
    sdk.error(() => resolve(false))
    sdk.config({ debug: false, appId, timestamp, nonceStr, signature, jsApiList: APIS })
  })
}

async function start(): Promise<Sdk | null> {
  if (!window.jWeixin) await load()
  const sdk = window.jWeixin
  if (!sdk) return null
  const present = location.href.split('#')[0]!
  const pages = /iPhone|iPad/.test(navigator.userAgent) ? [entry, present] : [present, entry]
  for (const page of new Set(pages)) if (await configure(sdk, page)) return sdk
  return null
}

let started: Promise<Sdk | null> | null = null
/** Null where WeChat does not let this page use it; the next page asks again. */
function ready(): Promise<Sdk | null> {
  started ??= start()
    .catch(() => null)
    .then((sdk) => {
      if (!sdk) started = null
      return sdk
    })
  return started
}

let wanted: Card | null = null
let waiting: Promise<void> | null = null

export const jssdk = {
  /** The last card that was asked for counts: a page's own comes right after the usual one. */
  share(card: Card): Promise<void> {
    wanted = card
    waiting ??= Promise.resolve().then(async () => {
      const sdk = await ready()
      waiting = null
      if (!sdk || !wanted) return
      const { title, desc, link, imgUrl } = wanted
      sdk.updateAppMessageShareData({ title, desc, link, imgUrl })
      sdk.updateTimelineShareData({ title, link, imgUrl })
    })
    return waiting
  },

  async scan(): Promise<string | null> {
    const sdk = await ready()
    if (!sdk) return null
    return new Promise((resolve) => {
      sdk.scanQRCode({ needResult: 1, scanType: ['qrCode'], success: ({ resultStr }) => resolve(resultStr), cancel: () => resolve(null), fail: () => resolve(null) })
    })
  },
}
