/**
 * The one HTTP client. Cookies carry the session; `X-Liangche` proves that the request comes from our
 * own page. An expired session is refreshed once, for all requests that wait, and the request repeated.
 */
import createClient from 'openapi-fetch'
import { problemFrom } from '@/lib/problem'
import type { paths } from '@/lib/schema'

export const BASE = typeof location === 'undefined' ? 'http://localhost' : location.origin
const REFRESH_PATH = '/api/console/session/refresh'
const NO_REFRESH = [REFRESH_PATH, '/api/console/session']

let refreshing: Promise<boolean> | null = null
let onSignedOut: () => void = () => {}

/** What to do when the session cannot be refreshed: the router goes to the login page. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler
}

/** fetch with the refresh built in; openapi-fetch hands it a ready Request. */
export async function fetchWithRefresh(request: Request): Promise<Response> {
  const repeat = request.clone()
  const response = await fetch(request)
  if (response.status !== 401 || NO_REFRESH.includes(new URL(request.url).pathname)) return response
  if (!(await refreshOnce())) {
    onSignedOut()
    return response
  }
  const second = await fetch(repeat)
  if (second.status === 401) onSignedOut()
  return second
}

function refreshOnce(): Promise<boolean> {
  refreshing ??= fetch(new Request(BASE + REFRESH_PATH, { method: 'POST', headers: ownHeaders, credentials: 'same-origin' }))
    .then((response) => response.ok)
    .catch(() => false)
    .finally(() => {
      refreshing = null
    })
  return refreshing
}

export const ownHeaders = { 'X-Liangche': 'console' }

export const api = createClient<paths>({
  baseUrl: BASE,
  headers: ownHeaders,
  credentials: 'same-origin',
  fetch: fetchWithRefresh,
})

interface Outcome<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The body of a good answer, or the Problem thrown. */
export async function unwrap<T>(call: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw problemFrom(response.status, error)
  return data as T
}

/** Every entry of a short list that may still be longer than one page. */
export async function allPages<T>(read: (after: string | undefined) => Promise<{ items: T[]; next?: string }>): Promise<T[]> {
  const rows: T[] = []
  let after: string | undefined
  do {
    const page = await read(after)
    rows.push(...page.items)
    after = page.next === after ? undefined : page.next
  } while (after)
  return rows
}

/** Header of a money command. */
export function keyHeader(key: string): { 'Idempotency-Key': string } {
  return { 'Idempotency-Key': key }
}

/** Filters, sort and cursor of a list, as the pages hold them. */
export type Query = Record<string, string | number | undefined>

type GetPath = { [P in keyof paths]: paths[P] extends { get: { parameters: { query?: unknown } } } ? P : never }[keyof paths]
type QueryOf<P extends GetPath> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? Q : never

/**
 * Filters live in the address as text, so they take the types of the operation only here; the server
 * checks the values and says at which field they are wrong. Empty ones are left out.
 */
export function cleanQuery<P extends GetPath>(query: Query): QueryOf<P> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined && value !== '')) as QueryOf<P>
}
