// The packed mini-program starts, shows the home page from a stub API, draws a member code that decodes again, opens
// the staff pages, and sends nothing anywhere else: no vendor beacon, no foreign request, no error.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import jsQR from 'jsqr'
import { chromium } from 'playwright-core'
import { PNG } from 'pngjs'
import { startServer } from './serve.mjs'
import { answer } from './e2e/stub-api.mjs'

/** uni-app's beacon fires three seconds after start. */
const BEACON_MS = 3600

const server = await startServer({ api: answer })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
const context = await browser.newContext({
  viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, locale: 'zh-CN', timezoneId: 'Asia/Shanghai',
})
const foreign = []
const failures = []
context.on('request', (request) => {
  const url = new URL(request.url())
  if (url.protocol.startsWith('http') && url.hostname !== '127.0.0.1') foreign.push(request.url())
})
const page = await context.newPage()
page.on('pageerror', (error) => failures.push(error.message))
const on = (selector) => page.locator(`.wx-page.on ${selector}`)

let failed = 0
async function step(name, run) {
  const started = Date.now()
  try {
    await run()
    console.log(`ok   ${name} (${Date.now() - started} ms)`)
  } catch (error) {
    failed++
    console.log(`FAIL ${name}: ${error.message.split('\n').slice(0, 3).join(' | ')}`)
    fs.mkdirSync('dist', { recursive: true })
    await page.screenshot({ path: `dist/fail-${failed}.png` }).catch(() => {})
  }
}

const started = Date.now()
await page.goto(server.origin, { waitUntil: 'load' })
await step('starts', () => page.waitForFunction(() => window.__sim?.ready, null, { timeout: 8000 }))
await step('logs in with wx.login and shows the card', async () => {
  await on('.face').filter({ hasText: '368' }).waitFor({ timeout: 5000 })
  assert.ok((await page.evaluate(() => window.__sim.calls)).some(([name]) => name === 'login'))
})
await step('member code: the canvas decodes to the digits that are shown', async () => {
  await on('.code').tap()
  await on('canvas').waitFor({ timeout: 5000 })
  await page.waitForTimeout(800)
  const image = PNG.sync.read(await on('canvas').screenshot())
  const code = jsQR(new Uint8ClampedArray(image.data), image.width, image.height)
  const digits = (await on('.digits').textContent()).replace(/\s/g, '')
  assert.equal(code?.data, `LC1:${digits}`)
})
await step('the sub-package opens', async () => {
  await page.evaluate(() => window.__sim.wx.navigateTo({ url: '/pkg-staff/login/index' }))
  await on(':text("员工工作台")').first().waitFor({ timeout: 5000 })
})
await step('no vendor beacon', async () => {
  await page.waitForTimeout(Math.max(0, BEACON_MS - (Date.now() - started)))
  const calls = await page.evaluate(() => window.__sim.calls.filter(([name]) => name === 'preloadAssets'))
  assert.deepEqual(calls, [])
})
await step('no foreign request', () => assert.deepEqual(foreign, []))
await step('no error', async () => {
  assert.deepEqual(failures, [])
  assert.deepEqual(await page.evaluate(() => window.__sim.errors), [])
})
console.log(`setData: ${JSON.stringify(await page.evaluate(() => window.__sim.setData))}`)
console.log(`not mocked: ${JSON.stringify(await page.evaluate(() => [...new Set(window.__sim.log)]))}`)
await browser.close()
server.close()
process.exit(failed ? 1 : 0)
