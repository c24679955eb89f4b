// npm run shots: pictures for the README and docs, from a demo as a new user would see it. Phones at 390×844 twice as fine, the console at 1440×900.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch, phone } from './lib/browser.mjs'
import { consoleApi, sandbox, staffApi } from './lib/api.mjs'
import { consoleLogin, desktop, dialog, open, settled } from './lib/console.mjs'
import { onPage, openChat, staffLogin } from './lib/h5.mjs'
import { ownerApi } from './lib/member.mjs'
import { shrink } from './lib/png8.mjs'
import { startDemo } from './lib/server.mjs'

const DOCS = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url))
const LIMIT_BYTES = 250_000
const NAME = '林晓舟'
const PLATE = '沪A8K316'

const demo = process.env.E2E_ORIGIN ? { origin: process.env.E2E_ORIGIN, stop() {} } : await startDemo()
const { origin } = demo
const browser = await launch()
fs.mkdirSync(DOCS, { recursive: true })
let failed = false
try {
  const persona = (await sandbox(origin).state()).personas.find((p) => p.nickname === NAME)
  const owner = await ownerApi(origin, persona.id)
  const memberId = (await owner.get('/home')).member.id
  await ownerPages(persona)
  await bookingPages()
  await staffPages()
  await consolePages(memberId)
} catch (error) {
  failed = true
  console.error(error)
} finally {
  await browser.close()
  await demo.stop()
}
process.exit(failed ? 1 : 0)

async function shot(page, name) {
  await page.waitForTimeout(600)
  const file = path.join(DOCS, `${name}.png`)
  const picture = shrink(await page.screenshot({ animations: 'disabled' }))
  fs.writeFileSync(file, picture)
  const size = picture.length
  console.log(`${name}.png ${(size / 1000).toFixed(0)} KB`)
  if (size > LIMIT_BYTES) throw new Error(`${name}.png has ${size} bytes, more than ${LIMIT_BYTES}`)
}

async function ownerPages(persona) {
  const { page, context } = await phone(browser)
  await page.goto(`${origin}/sandbox/`)
  await page.locator('button.row').filter({ hasText: NAME }).first().click()
  await page.getByText('打开小程序').click()
  await onPage(page, '.face').first().waitFor()
  await shot(page, 'h5-home')
  await onPage(page, '.action').filter({ hasText: '充值' }).click()
  await onPage(page, '.plan').filter({ hasText: '送 80' }).first().click()
  await shot(page, 'h5-topup')
  await page.goBack()
  await onPage(page, '.action').filter({ hasText: '会员码' }).click()
  await onPage(page, 'canvas').waitFor()
  await shot(page, 'h5-code')

  // The person has agreed to one message, so that the phone has something to show; then a deduction.
  const owner = await ownerApi(origin, persona.id)
  const templateId = (await owner.get('/config')).templates.deduction
  await sandbox(origin).grant(persona.id, templateId)
  await owner.post('/grants', { results: [{ templateId, result: 'accept' }] })
  const desk = await staffApi(origin)
  const home = await owner.get('/home')
  const order = await desk.settle({ memberId: home.member.id, plate: PLATE, service: '精致洗车' })
  await page.locator('.notice').waitFor()
  await page.locator('.notice .title').click()
  await onPage(page, '.receipt').waitFor()
  await shot(page, 'h5-receipt')
  await page.goto(`${origin}/h5/#/pages/records/index`)
  await onPage(page, '.row, .record').first().waitFor()
  await shot(page, 'h5-records')
  await page.goto(`${origin}/sandbox/`)
  await openChat(page, page.locator('.list .row').filter({ hasText: '服务通知' }))
  await page.locator('.msg').filter({ hasText: (order.totalFen / 100).toFixed(2) }).waitFor()
  await page.locator('.msg').last().scrollIntoViewIfNeeded()
  await shot(page, 'sandbox-phone')
  await context.close()
}

/** From the list of services to a time, as a member sees it. */
async function bookingPages() {
  const { page, context } = await phone(browser)
  await page.goto(`${origin}/sandbox/`)
  await page.locator('button.row').filter({ hasText: NAME }).first().click()
  await page.getByText('打开小程序').click()
  await onPage(page, '.action').filter({ hasText: '预约' }).click()
  await page.locator('.service').filter({ has: page.getByText('精致洗车', { exact: true }) }).click()
  await shot(page, 'h5-booking')
  await page.locator('.next:visible').click()
  await page.locator('.day:visible').nth(1).click()
  await page.locator('.time:visible').nth(5).click()
  await shot(page, 'h5-booking-time')
  await context.close()
}

async function staffPages() {
  const { page, context } = await phone(browser)
  await staffLogin(page, origin)
  await page.getByText('今天已结算').waitFor()
  await shot(page, 'staff-desk')
  await page.locator('.search input').fill(PLATE.slice(2))
  await page.keyboard.press('Enter')
  await page.locator('.row').filter({ has: page.locator('.plate') }).first().click()
  await page.getByText('给哪辆车开单').waitFor()
  await page.locator('.row').filter({ has: page.locator('.plate') }).first().click()
  await page.locator('.item').filter({ hasText: '精致洗车' }).locator('.add').first().click()
  await page.locator('.next').getByText('报价', { exact: true }).click()
  await page.getByText('收款方式').waitFor()
  await shot(page, 'staff-settle')
  await context.close()
}

async function consolePages(memberId) {
  const { page, context } = await desktop(browser)
  await consoleLogin(page, origin, 'manager')
  await page.locator('.charts svg').first().waitFor()
  await settled(page)
  await shot(page, 'console-dashboard')
  await open(page, origin, `/members/${memberId}`)
  await page.getByRole('tab', { name: '流水' }).click()
  await page.locator('.el-tab-pane:visible tbody tr').nth(2).waitFor()
  await shot(page, 'console-member')
  const plan = await (await consoleApi(origin)).get(`/members/${memberId}/refund-plan`)
  await page.getByRole('button', { name: '退款', exact: true }).click()
  await dialog(page).getByLabel('退款金额').fill(String(Math.floor(Math.min(plan.refundableFen, 60_000) / 100)))
  await dialog(page).getByPlaceholder(/车主/).fill('车主搬家，不再使用')
  await page.waitForTimeout(1200)
  await shot(page, 'console-refund')
  await context.close()
}
