import { platform } from '@platform'
import type { Audience } from '@/platform/types'
import { ApiError, NetworkError, SessionError } from './errors'
import { fillUrl, resultOf, send, type RawResponse } from './http'
import type { paths } from './schema'
import { readSession, writeSession } from './tokens'
import type { CallInit, Method, TypedClient } from './typed'
import type { Session } from './types'

const TIMEOUT_MS = 12_000

type NetListener = (online: boolean) => void
type LoginHook = (audience: Audience) => Promise<boolean>

let netListener: NetListener = () => {}
let silentLogin: LoginHook = async () => false

/** Tells the app whether the last request got an answer. */
export const onNetChange = (listener: NetListener) => (netListener = listener)
/** How to log in again without asking; true when a new session was stored. */
export const setSilentLogin = (hook: LoginHook) => (silentLogin = hook)

export const audienceOf = (path: string): Audience => (path.startsWith('/api/staff') ? 'staff' : 'owner')

/** The addresses that take no token: a 401 there is an answer, not an expired session. */
const isPublic = (path: string) => /\/session(\/refresh)?$/.test(path)

const renewing: Partial<Record<Audience, Promise<boolean>>> = {}

async function refresh(audience: Audience): Promise<boolean> {
  const old = readSession(audience)
  if (old?.refreshToken) {
    const response = await send({
      url: `${platform.apiBase}/api/${audience}/session/refresh`,
      method: 'post',
      headers: { 'content-type': 'application/json' },
      body: { refreshToken: old.refreshToken },
      timeoutMs: TIMEOUT_MS,
    })
    if (response.status === 200) {
      writeSession(audience, response.data as Session)
      return true
    }
    // Only a refusal ends the session; a server in trouble does not.
    if (response.status >= 500) throw new ApiError(response.status, (response.data ?? {}) as never)
  }
  writeSession(audience, null)
  return silentLogin(audience)
}

/** One refresh at a time, however many calls met the 401. */
function renew(audience: Audience): Promise<boolean> {
  renewing[audience] ??= refresh(audience).finally(() => delete renewing[audience])
  return renewing[audience]!
}

export interface CallOptions extends CallInit {
  idempotencyKey?: string
  timeoutMs?: number
}

/** Runs a request as whoever is logged in; renews the session once when the answer is 401. */
export async function withSession(audience: Audience, run: (headers: Record<string, string>) => Promise<RawResponse>, open = false): Promise<RawResponse> {
  const attempt = async (): Promise<RawResponse> => {
    const headers: Record<string, string> = { accept: 'application/json' }
    const session = readSession(audience)
    if (session && !open) headers.authorization = `Bearer ${session.accessToken}`
    try {
      const response = await run(headers)
      netListener(true)
      return response
    } catch (error) {
      if (error instanceof NetworkError) netListener(false)
      throw error
    }
  }

  const had = readSession(audience)?.accessToken
  let response = await attempt()
  if (response.status === 401 && !open) {
    // Another call may have renewed the session while this one was under way.
    const renewed = readSession(audience)?.accessToken !== had && readSession(audience) !== null
    if (!renewed && !(await renew(audience))) throw new SessionError(audience)
    response = await attempt()
    if (response.status === 401) throw new SessionError(audience)
  }
  return response
}

export async function call(method: Method, path: string, options: CallOptions = {}): Promise<unknown> {
  const response = await withSession(
    audienceOf(path),
    (headers) => {
      if (options.body !== undefined) headers['content-type'] = 'application/json'
      if (options.idempotencyKey) headers['idempotency-key'] = options.idempotencyKey
      return send({
        url: platform.apiBase + fillUrl(path, options),
        method,
        headers,
        body: options.body,
        timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      })
    },
    isPublic(path),
  )
  return resultOf(response)
}

export const api: TypedClient<paths> = {
  get: ((path: string, init?: CallInit) => call('get', path, init)) as TypedClient<paths>['get'],
  post: ((path: string, init?: CallInit) => call('post', path, init)) as TypedClient<paths>['post'],
  put: ((path: string, init?: CallInit) => call('put', path, init)) as TypedClient<paths>['put'],
  delete: ((path: string, init?: CallInit) => call('delete', path, init)) as TypedClient<paths>['delete'],
}
