import { vi } from 'vitest'

export interface Sent {
  method: string
  url: string
  path: string
  header: Record<string, string>
  data: any
}
type Reply = { status?: number; data?: unknown } | 'offline' | 'timeout'
type Handler = (request: Sent) => Reply | undefined

export const storage = new Map<string, unknown>()
export const sent: Sent[] = []
let handler: Handler = () => undefined

/** Says how the server answers; `undefined` is a 404. */
export const serve = (next: Handler) => (handler = next)

/** Answers by "METHOD /path" (query left out). */
export function serveMap(map: Record<string, unknown | ((request: Sent) => Reply)>): void {
  serve((request) => {
    const entry = map[`${request.method} ${request.path}`]
    if (entry === undefined) return undefined
    return typeof entry === 'function' ? (entry as (request: Sent) => Reply)(request) : { data: entry }
  })
}

export function installUni(): void {
  storage.clear()
  sent.length = 0
  handler = () => undefined
  const copy = (value: unknown) => (value === undefined ? '' : JSON.parse(JSON.stringify(value)))
  ;(globalThis as any).uni = {
    getStorageSync: (key: string) => copy(storage.get(key)),
    setStorageSync: (key: string, value: unknown) => void storage.set(key, copy(value)),
    removeStorageSync: (key: string) => void storage.delete(key),
    request: vi.fn((options: any) => {
      const request: Sent = {
        method: options.method,
        url: options.url,
        path: options.url.split('?')[0],
        header: options.header,
        data: copy(options.data),
      }
      sent.push(request)
      const reply = handler(request) ?? {
        status: 404,
        data: { code: 'not_found', message: '没有找到', requestId: 'r' },
      }
      queueMicrotask(() => {
        if (reply === 'offline') options.fail({ errMsg: 'request:fail' })
        else if (reply === 'timeout') options.fail({ errMsg: 'request:fail timeout' })
        else options.success({ statusCode: reply.status ?? 200, data: copy(reply.data) })
      })
    }),
    login: vi.fn(async () => ({ code: 'js-code' })),
    showToast: vi.fn(),
    showModal: vi.fn((options: any) => options.success?.({ confirm: true })),
    navigateTo: vi.fn(),
    navigateBack: vi.fn(),
    redirectTo: vi.fn(),
    reLaunch: vi.fn(),
    switchTab: vi.fn(),
    setTabBarStyle: vi.fn(),
    stopPullDownRefresh: vi.fn(),
    setNavigationBarTitle: vi.fn(),
    vibrateShort: vi.fn(),
    scanCode: vi.fn(),
    getWindowInfo: () => ({ statusBarHeight: 20, pixelRatio: 2 }),
    getMenuButtonBoundingClientRect: () => ({ bottom: 56 }),
    createSelectorQuery: () => ({
      in() { return this },
      select() { return this },
      fields() { return this },
      exec() {},
    }),
  }
  ;(globalThis as any).getCurrentPages = () => [{}, {}]
  ;(globalThis as any).wx = {
    requestPayment: vi.fn(),
    requestSubscribeMessage: vi.fn((options: any) =>
      options.success(Object.fromEntries(options.tmplIds.map((id: string) => [id, 'accept']))),
    ),
    setKeepScreenOn: vi.fn(),
    setScreenBrightness: vi.fn(),
    getScreenBrightness: vi.fn((options: any) => options.success({ value: 0.4 })),
  }
}

export const session = (token = 'T1') => ({ accessToken: token, refreshToken: `R-${token}`, expiresAt: '2026-11-22T00:00:00Z' })
export const problem = (status: number, code: string, message = '不行', detail?: unknown) => ({
  status,
  data: { code, message, requestId: 'r', detail },
})
