import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { listMembers } from '@/api/members'
import { createRefund } from '@/api/members'
import { login } from '@/api/session'
import { whenSignedOut } from '@/api/client'
import { asProblem, type Problem } from '@/lib/problem'

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
const expired = () => json(401, { code: 'session.expired', message: '登录已过期' })

let requests: Request[] = []
let bodies: string[] = []
let answer: (path: string, count: number) => Response

beforeEach(() => {
  requests = []
  bodies = []
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = input instanceof Request ? input : new Request(input, init)
    const path = new URL(request.url).pathname
    requests.push(request)
    bodies.push(await request.clone().text())
    return answer(path, requests.filter((item) => new URL(item.url).pathname === path).length)
  })
})
afterEach(() => vi.unstubAllGlobals())

const caught = (promise: Promise<unknown>): Promise<Problem> => promise.then(() => Promise.reject(new Error('should fail')), asProblem)

describe('API client', () => {
  it('marks every request as the console and leaves empty filters out', async () => {
    answer = () => json(200, { items: [] })
    await listMembers({ q: '', status: undefined, limit: 20 })
    expect(requests[0]!.headers.get('X-Liangche')).toBe('console')
    expect(new URL(requests[0]!.url).search).toBe('?limit=20')
  })

  it('refreshes an expired session once and repeats the request with its body and key', async () => {
    answer = (path, count) => {
      if (path.endsWith('/refresh')) return json(200, {})
      return count === 1 ? expired() : json(200, { refundId: 5, state: 'processing' })
    }
    const result = await createRefund(7, { amountFen: 100, reason: '搬家', planHash: 'h' }, 'key-12345678')
    expect(result.refundId).toBe(5)
    expect(requests.map((request) => new URL(request.url).pathname.split('/').pop())).toEqual(['refunds', 'refresh', 'refunds'])
    expect(bodies[2]).toBe(bodies[0])
    expect(requests[2]!.headers.get('Idempotency-Key')).toBe('key-12345678')
  })

  it('refreshes once for all requests that wait', async () => {
    answer = (path, count) => {
      if (path.endsWith('/refresh')) return json(200, {})
      return count <= 3 ? expired() : json(200, { items: [] })
    }
    await Promise.all([listMembers({}), listMembers({}), listMembers({})])
    expect(requests.filter((request) => request.url.endsWith('/refresh'))).toHaveLength(1)
  })

  it('goes to the login page when the refresh fails too', async () => {
    const signedOut = vi.fn()
    whenSignedOut(signedOut)
    answer = () => expired()
    const problem = await caught(listMembers({}))
    expect(problem.status).toBe(401)
    expect(signedOut).toHaveBeenCalledTimes(1)
  })

  it('does not refresh after a wrong password', async () => {
    answer = () => json(401, { code: 'staff.bad_credentials', message: '用户名或密码不对' })
    const problem = await caught(login('lin', 'x'))
    expect(problem.message).toBe('用户名或密码不对')
    expect(requests).toHaveLength(1)
  })

  it('hands over field messages', async () => {
    answer = () => json(422, { code: 'invalid', message: '请检查', fields: [{ field: 'amountFen', message: '金额要大于 0' }], requestId: 'r' })
    const problem = await caught(listMembers({}))
    expect(problem.fields[0]!.message).toBe('金额要大于 0')
  })

  it('has words for answers that are not ours and for a dead line', async () => {
    answer = () => new Response('<html>Bad gateway</html>', { status: 502, headers: { 'content-type': 'text/html' } })
    expect((await caught(listMembers({}))).message).toContain('稍后再试')
    answer = () => {
      throw new TypeError('Failed to fetch')
    }
    const dead = await caught(listMembers({}))
    expect(dead.code).toBe('network')
    expect(dead.uncertain).toBe(true)
  })
})
