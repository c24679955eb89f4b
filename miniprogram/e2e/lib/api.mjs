// The sandbox's control API and the few calls of the system that prepare or verify a step.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

export const PASSWORD = 'liangche2026'

async function call(method, url, { body, headers = {} } = {}) {
  const answer = await fetch(url, { method, headers: { 'content-type': 'application/json', ...headers }, body: body === undefined ? undefined : JSON.stringify(body) })
  const text = await answer.text()
  assert.ok(answer.ok, `${method} ${url} → ${answer.status} ${text}`)
  return { answer, data: text ? JSON.parse(text) : undefined }
}

/** What WeChat would do: personas, payments, faults. */
export function sandbox(origin) {
  const base = `${origin}/sandbox/control`
  const post = async (path, body = {}) => (await call('POST', base + path, { body })).data
  return {
    state: async () => (await call('GET', `${base}/state`)).data,
    persona: async (id) => (await call('GET', `${base}/state`)).data.personas.find((p) => p.id === id),
    addPersona: (nickname, phone, more = {}) => post('/personas', { nickname, phone, role: '车主', ...more }),
    pay: (body) => post('/pay', { outcome: 'pay', ...body }),
    loginCode: async (personaId) => (await post('/login-code', { personaId, app: 'mp' })).code,
    /** The code of the newest text message to a phone. */
    textCode: async (phone) => (await call('GET', `${base}/state`)).data.texts.filter((x) => x.phone === phone).at(-1)?.values.code,
    phoneCode: async (personaId) => (await post('/phone-code', { personaId })).code,
    grant: (personaId, templateId) => post('/grants', { personaId, templateId, count: 1 }),
    /** One fault on the next event: dropped notifications, a slow answer, … */
    fault: (target, kind, more = {}) => post('/faults', { target, kind, count: 1, ...more }),
    clearFaults: () => call('DELETE', `${base}/faults`),
  }
}

/** The console's API as one of the demo's people. */
export async function consoleApi(origin, username = 'manager') {
  const own = { 'x-liangche': 'console' }
  const { answer } = await call('POST', `${origin}/api/console/session`, { body: { username, password: PASSWORD }, headers: own })
  const cookie = answer.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  const headers = { ...own, cookie }
  return {
    get: async (path) => (await call('GET', `${origin}/api/console${path}`, { headers })).data,
    post: async (path, body = {}) => (await call('POST', `${origin}/api/console${path}`, { body, headers: { ...headers, 'idempotency-key': randomUUID() } })).data,
    put: async (path, body) => (await call('PUT', `${origin}/api/console${path}`, { body, headers })).data,
  }
}

/** The till's API as one of the demo's people, at their first store. */
export async function staffApi(origin, username = 'desk') {
  const { data } = await call('POST', `${origin}/api/staff/session`, { body: { method: 'password', username, password: PASSWORD } })
  const headers = { authorization: `Bearer ${data.session.accessToken}` }
  const storeId = data.staff.stores[0].id
  const get = async (path) => (await call('GET', `${origin}/api/staff${path}`, { headers })).data
  const post = async (path, body = {}) => (await call('POST', `${origin}/api/staff${path}`, { body, headers: { ...headers, 'idempotency-key': randomUUID() } })).data
  return {
    storeId,
    get,
    post,
    /** Serves a car: service by name, paid by one tender. */
    async settle({ memberId, plate, service, kind = 'balance' }) {
      const catalog = await get(`/catalog?storeId=${storeId}`)
      const chosen = catalog.services.find((s) => s.name === service)
      const request = { storeId, memberId, plate, vehicleClassId: catalog.vehicleClasses[1].id, items: [{ kind: 'service', id: chosen.id, qty: 1 }] }
      const quote = await post('/quotes', request)
      return post('/checkouts', { ...request, quoteHash: quote.quoteHash, tenders: [{ kind, amountFen: quote.totalFen }] })
    },
  }
}

/** Distinct phone numbers and plates, so that a story can be told again on the same data. */
const stamp = Date.now()
let used = 0
export const newPhone = () => `139${String((stamp + used++) % 100_000_000).padStart(8, '0')}`
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'
export const newPlate = () => {
  const n = (stamp + used++ * 7919) % 10_000
  return `沪${LETTERS[stamp % 24]}${LETTERS[(stamp >> 5) % 24]}${String(n).padStart(4, '0')}`
}
export const newEnergyPlate = () => `沪AD${String((stamp + used++) % 100_000).padStart(5, '0')}`
