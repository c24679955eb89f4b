import { afterEach, describe, expect, it, vi } from 'vitest'
import { api, setSilentLogin } from '@/api/client'
import { command, pendingCommands, resolvePending, UncertainError } from '@/api/commands'
import { ApiError, messageOf, NetworkError, SessionError } from '@/api/errors'
import { fillUrl } from '@/api/http'
import { readSession, writeSession } from '@/api/tokens'
import { problem, sent, serve, serveMap, session } from './support'

const TOPUP = { topupId: 7, amountFen: 50000, bonusFen: 8000, expiresAt: '', pay: {} }
const topup = (amountFen = 50000) =>
  command({ slot: 'topup', label: '充值 ¥500.00' }, '/api/owner/topups', { body: { amountFen } })
const keys = () => sent.filter((r) => r.method === 'POST').map((r) => r.header['idempotency-key'])

/** Lets the retry pauses pass at once. */
function fastTimers() {
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void) => queueMicrotask(run)) as never)
}
afterEach(() => vi.restoreAllMocks())

describe('client', () => {
  it('fills path and query', () => {
    expect(fillUrl('/a/{id}/b', { path: { id: '沪 A/1' }, query: { q: 'a b', none: undefined, zero: 0, empty: '' } })).toBe(
      '/a/%E6%B2%AA%20A%2F1/b?q=a%20b&zero=0',
    )
  })

  it('sends the bearer token of the audience', async () => {
    writeSession('owner', session('O'))
    writeSession('staff', session('S'))
    serve(() => ({ data: { items: [] } }))
    await api.get('/api/owner/vehicles')
    await api.get('/api/staff/lookup', { query: { storeId: 1, q: '6688' } })
    expect(sent.map((r) => r.header.authorization)).toEqual(['Bearer O', 'Bearer S'])
  })

  it('turns problems into errors with the server’s sentence', async () => {
    serve(() => problem(409, 'member.phone_taken', '这个手机号已经有会员卡'))
    const error = await api.get('/api/owner/home').catch((e) => e)
    expect(error).toBeInstanceOf(ApiError)
    expect(error.code).toBe('member.phone_taken')
    expect(messageOf(error)).toBe('这个手机号已经有会员卡')
  })

  it('never shows a stack, a status or HTML', async () => {
    serve(() => ({ status: 502, data: '<html>bad gateway</html>' }))
    const error = await api.get('/api/owner/home').catch((e) => e)
    expect(messageOf(error)).toBe('服务暂时不可用，请稍后再试')
    expect(messageOf(new TypeError('x is not a function'))).toBe('出了点问题，请再试一次')
  })

  it('tells offline from slow', async () => {
    serve(() => 'offline')
    await expect(api.get('/api/owner/home')).rejects.toMatchObject({ kind: 'offline' })
    serve(() => 'timeout')
    await expect(api.get('/api/owner/home')).rejects.toMatchObject({ kind: 'timeout' })
    expect(messageOf(new NetworkError('offline'))).toContain('没有网络')
  })

  it('refreshes once for many calls that met a 401', async () => {
    writeSession('owner', session('old'))
    serve((r) => {
      if (r.path === '/api/owner/session/refresh') return { data: session('new') }
      return r.header.authorization === 'Bearer new' ? { data: { items: [] } } : problem(401, 'session.expired')
    })
    await Promise.all([api.get('/api/owner/vehicles'), api.get('/api/owner/profile'), api.get('/api/owner/vehicles')])
    expect(sent.filter((r) => r.path.endsWith('/refresh'))).toHaveLength(1)
    expect(readSession('owner')?.accessToken).toBe('new')
  })

  it('logs in silently when the refresh is refused, else says that the session is over', async () => {
    writeSession('owner', session('old'))
    serve((r) => (r.header.authorization === 'Bearer fresh' ? { data: { items: [] } } : problem(401, 'session.expired')))
    setSilentLogin(async (audience) => {
      writeSession(audience, session('fresh'))
      return true
    })
    await expect(api.get('/api/owner/vehicles')).resolves.toEqual({ items: [] })

    writeSession('owner', session('old'))
    setSilentLogin(async () => false)
    await expect(api.get('/api/owner/vehicles')).rejects.toBeInstanceOf(SessionError)
    expect(readSession('owner')).toBeNull()
  })

  it('keeps the session when the refresh meets a server in trouble', async () => {
    writeSession('owner', session('old'))
    serve((r) => (r.path.endsWith('/refresh') ? { status: 503 } : problem(401, 'session.expired')))
    await expect(api.get('/api/owner/vehicles')).rejects.toBeInstanceOf(ApiError)
    expect(readSession('owner')?.accessToken).toBe('old')
  })

  it('does not take a wrong password for an expired session', async () => {
    serve(() => problem(401, 'staff.bad_credentials', '用户名或密码不对'))
    await expect(
      api.post('/api/staff/session', { body: { method: 'password', username: 'a', password: 'b' } }),
    ).rejects.toMatchObject({ code: 'staff.bad_credentials' })
    expect(sent).toHaveLength(1)
  })
})

describe('money commands', () => {
  it('carry a key of the allowed form and are forgotten when answered', async () => {
    serveMap({ 'POST /api/owner/topups': TOPUP })
    await expect(topup()).resolves.toMatchObject({ topupId: 7 })
    expect(keys()[0]).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
    expect(pendingCommands()).toEqual([])
  })

  it('are in storage before they are sent', async () => {
    let stored = 0
    serve(() => {
      stored = pendingCommands().length
      return { data: TOPUP }
    })
    await topup()
    expect(stored).toBe(1)
  })

  it('retry with the same key over a weak network', async () => {
    fastTimers()
    let n = 0
    serve(() => (++n < 3 ? (n === 1 ? 'timeout' : { status: 502 }) : { data: TOPUP }))
    await topup()
    expect(keys()).toHaveLength(3)
    expect(new Set(keys()).size).toBe(1)
  })

  it('stay open without an answer, and the next attempt continues the same command', async () => {
    fastTimers()
    serve(() => 'offline')
    await expect(topup()).rejects.toBeInstanceOf(UncertainError)
    expect(pendingCommands()).toHaveLength(1)
    serveMap({ 'POST /api/owner/topups': TOPUP })
    await topup()
    expect(new Set(keys()).size).toBe(1)
    expect(pendingCommands()).toEqual([])
  })

  it('a double tap is one command', async () => {
    serveMap({ 'POST /api/owner/topups': TOPUP })
    const [a, b] = await Promise.all([topup(), topup()])
    expect(a).toBe(b)
    expect(sent).toHaveLength(1)
  })

  it('a different command first finds out what became of the open one', async () => {
    fastTimers()
    serve(() => 'offline')
    await expect(topup(50000)).rejects.toBeInstanceOf(UncertainError)
    serveMap({ 'POST /api/owner/topups': TOPUP })
    await expect(topup(20000)).rejects.toMatchObject({ message: expect.stringContaining('已经成功') })
    expect(sent.at(-1)!.data).toEqual({ amountFen: 50000 })
    await topup(20000)
    expect(sent.at(-1)!.data).toEqual({ amountFen: 20000 })
    expect(new Set(keys()).size).toBe(2)
  })

  it('a refusal ends the command', async () => {
    serve(() => problem(409, 'topup.over_cap', '超过上限'))
    await expect(topup()).rejects.toMatchObject({ code: 'topup.over_cap' })
    expect(pendingCommands()).toEqual([])
  })

  it('are resolved at the next start', async () => {
    fastTimers()
    writeSession('owner', session())
    serve(() => 'timeout')
    await expect(topup()).rejects.toBeInstanceOf(UncertainError)
    const key = keys()[0]
    serveMap({ 'POST /api/owner/topups': TOPUP })
    const [resolution] = await resolvePending('owner')
    expect(resolution).toMatchObject({ outcome: 'done', command: { key, label: '充值 ¥500.00' } })
    expect(sent.at(-1)!.header['idempotency-key']).toBe(key)
    expect(await resolvePending('owner')).toEqual([])
  })

  it('of the other audience are left alone', async () => {
    fastTimers()
    serve(() => 'offline')
    await expect(topup()).rejects.toBeInstanceOf(UncertainError)
    expect(await resolvePending('staff')).toEqual([])
    expect(pendingCommands()).toHaveLength(1)
  })
})
