// The compiled mini-program on the runner: packed here, served beside a proxy to the demo, with WeChat's answers from the sandbox.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { startServer } from '../../runner/serve.mjs'
import { sandbox } from './api.mjs'
import { OUT, phone } from './browser.mjs'

const APP = fileURLToPath(new URL('../../', import.meta.url))
const BUILT = path.join(APP, 'dist/e2e/mp-weixin')
const PACKED = path.join(OUT, 'runner')

function newest(dir) {
  return Math.max(...fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => fs.statSync(path.join(f.parentPath ?? f.path, f.name)).mtimeMs))
}

function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: APP, encoding: 'utf8', env: { ...process.env, CI: '1' } })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed\n${stdout}${stderr}`)
}

/** Compiles the mini-program for the runner unless that was done after the last change, and packs it. */
export function pack() {
  const marker = path.join(BUILT, 'app.json')
  if (!fs.existsSync(marker) || fs.statSync(marker).mtimeMs < newest(path.join(APP, 'src'))) run('npm', ['run', 'build:mp-e2e'])
  if (!fs.existsSync(path.join(APP, 'runner/node_modules'))) run('npm', ['ci', '--prefix', 'runner', '--no-audit', '--no-fund'])
  run('node', ['runner/pack.mjs', BUILT, PACKED])
}

/** A phone that runs the mini-program as this persona. wx.login, getPhoneNumber and requestPayment answer as the sandbox says. */
export async function miniProgram(browser, origin, persona, allowed = []) {
  const server = await startServer({ dir: PACKED, api: origin })
  const weixin = sandbox(origin)
  const seat = await phone(browser)
  const { page } = seat
  allowed.forEach(seat.allow)
  const answers = {
    mockLogin: () => weixin.loginCode(persona.id),
    mockPhone: async () => ({ code: await weixin.phoneCode(persona.id), errMsg: 'getPhoneNumber:ok' }),
    mockPay: async (request) => {
      await weixin.pay({ prepayId: request.package.replace('prepay_id=', ''), personaId: persona.id })
      return 'ok'
    },
    mockSubscribe: async (ids) => {
      for (const templateId of ids) await weixin.grant(persona.id, templateId)
      return Object.fromEntries(ids.map((id) => [id, 'accept']))
    },
  }
  for (const [name, answer] of Object.entries(answers)) await page.exposeFunction(name, answer)
  await page.addInitScript(() => {
    window.__SIM_HOOKS__ = {
      login: () => window.mockLogin(),
      phone: () => window.mockPhone(),
      subscribe: (ids) => window.mockSubscribe(ids),
      pay: ({ package: prepay }) => window.mockPay({ package: prepay }),
    }
  })
  await page.goto(server.origin)
  await page.waitForFunction(() => window.__sim?.ready)
  return {
    ...seat,
    /** On the page in front. */
    on: (selector) => page.locator(`.wx-page.on ${selector}`),
    calls: (name) => page.evaluate((wanted) => window.__sim.calls.filter(([called]) => called === wanted), name),
    faults: () => page.evaluate(() => window.__sim.errors),
    close: () => server.close(),
  }
}
