// A member with a phone of their own, made through the owner's API as a mini-program would: used where a story needs a code to scan.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { sandbox } from './api.mjs'

const STEP_SECONDS = 60

/** Joins and registers a code device. `next()` gives the code of now, each only once; `last()` the one given before. */
export async function memberCodes(origin, { name, phone, plate }) {
  const weixin = sandbox(origin)
  const persona = await weixin.addPersona(`${name}${phone.slice(-4)}`, phone)
  const owner = await ownerApi(origin, persona.id)
  const charter = await owner.get('/charter')
  const { phoneToken } = await owner.post('/phone', { code: await weixin.phoneCode(persona.id) })
  const classes = (await owner.get('/vehicle-classes')).items
  const vehicle = { plate, vehicleClassId: classes.find((c) => c.name === '轿车').id, brand: '大众', model: '朗逸', color: '白色' }
  const joined = await owner.post('/join', { charterVersion: charter.version, phoneToken, name, vehicle })
  const device = await owner.post('/code-devices', {})
  const ahead = Date.parse(device.serverTime) - Date.now()
  let step = 0
  let given = ''
  return {
    ...owner,
    persona,
    plate,
    memberId: joined.memberId,
    async next() {
      const now = Math.floor((Date.now() + ahead) / 1000 / STEP_SECONDS)
      step = Math.max(step + 1, now - 1) // the server takes the step before and the step after as well
      assert.ok(step <= now + 1, 'no more than three codes a minute')
      given = code(device.secret, device.deviceNo, step)
      return given
    },
    last: () => given,
  }
}

/** The owner's API as a persona of the sandbox, logged in as wx.login does. */
export async function ownerApi(origin, personaId) {
  const call = async (method, path, body, headers = {}) => {
    const answer = await fetch(`${origin}/api/owner${path}`, { method, headers: { 'content-type': 'application/json', ...headers }, body: body && JSON.stringify(body) })
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path} → ${answer.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }
  const login = await call('POST', '/session', { channel: 'mini_program', code: await sandbox(origin).loginCode(personaId) })
  const own = () => ({ authorization: `Bearer ${login.session.accessToken}`, 'idempotency-key': randomUUID() })
  return { get: (path) => call('GET', path, undefined, own()), post: (path, body) => call('POST', path, body, own()) }
}

export function code(secret, deviceNo, step) {
  const mac = createHmac('sha256', Buffer.from(secret, 'base64')).update(`LC1|${deviceNo}|${step}`).digest()
  const body = deviceNo + String(mac.readBigUInt64BE(0) % 100_000_000n).padStart(8, '0')
  const sum = [...body].reverse().reduce((n, c, i) => n + (i % 2 ? Number(c) : [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][c]), 0)
  return body + ((10 - (sum % 10)) % 10)
}
