import { noteServerDate } from './clock'
import { ApiError, NetworkError } from './errors'
import type { Problem } from './types'
import type { CallInit, Method } from './typed'

export interface RawRequest {
  url: string
  method: Method
  headers: Record<string, string>
  body?: unknown
  timeoutMs: number
}
export interface RawResponse {
  status: number
  data: unknown
}

/** uni.request as a promise. Rejects with NetworkError only when there was no answer. */
export function send(request: RawRequest): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    uni.request({
      url: request.url,
      method: request.method.toUpperCase() as 'GET',
      header: request.headers,
      data: request.body as AnyObject | undefined,
      timeout: request.timeoutMs,
      success: (response) => {
        const header = (response.header ?? {}) as Record<string, string>
        noteServerDate(header.Date ?? header.date)
        resolve({ status: response.statusCode, data: response.data })
      },
      fail: (error) => reject(new NetworkError(/timeout/i.test(error.errMsg ?? '') ? 'timeout' : 'offline')),
    })
  })
}

/** "/orders/{id}" with path and query filled in. */
export function fillUrl(path: string, init: CallInit): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(init.path?.[name])))
  const query = Object.entries(init.query ?? {})
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
  return query.length ? `${filled}?${query.join('&')}` : filled
}

const PLAIN: Record<number, string> = {
  401: '请先登录',
  403: '您没有这项权限，请联系店长',
  404: '没有找到',
  413: '内容太大了',
  429: '操作太频繁，请稍等一会儿',
  503: '服务暂时繁忙，请稍后再试',
}

export function toProblem(response: RawResponse): Problem {
  const data = response.data as Partial<Problem> | null
  if (data && typeof data === 'object' && typeof data.code === 'string' && typeof data.message === 'string') {
    return data as Problem
  }
  return {
    code: `http.${response.status}`,
    message: PLAIN[response.status] ?? '服务暂时不可用，请稍后再试',
    requestId: '',
  }
}

export function resultOf(response: RawResponse): unknown {
  if (response.status >= 200 && response.status < 300) return response.data
  throw new ApiError(response.status, toProblem(response))
}
