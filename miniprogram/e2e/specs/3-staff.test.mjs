// A receptionist's morning on a phone: log in, find members, quote, settle every way, undo.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { consoleApi, newPhone, newPlate, sandbox, staffApi } from '../lib/api.mjs'
import { launch, look, phone, story } from '../lib/browser.mjs'
import { button, fillRow, onPage, PASSWORD, staffLogin, typePlate } from '../lib/h5.mjs'
import { memberCodes } from '../lib/member.mjs'
import { decodeSoon } from '../lib/qr.mjs'

const origin = process.env.E2E_ORIGIN
const weixin = sandbox(origin)
const walkInPlate = newPlate()
const SERVICE = '标准洗车'

describe('staff', () => {
  let browser, staff, page, desk, boss, codes
  const step = story(test, () => page)

  before(async () => {
    browser = await launch()
    desk = await staffApi(origin)
    boss = await consoleApi(origin)
    codes = await memberCodes(origin, { name: '何晓曼', phone: newPhone(), plate: newPlate() })
    await desk.post('/topups', { storeId: desk.storeId, memberId: codes.memberId, amountFen: 10_000, tender: 'cash' })
    staff = await phone(browser)
    page = staff.page
  })
  after(() => browser?.close())

  step('logs in by password; a wrong one is refused in words', async () => {
    staff.allow(/status of 401/)
    await page.goto(`${origin}/h5/#/pkg-staff/login/index`)
    await fillRow(page, '用户名', 'desk')
    await fillRow(page, '密码', 'not-the-password')
    await look(page, 'staff-login')
    await page.locator('uni-button').getByText('登录', { exact: true }).click()
    await page.locator('.notice-bad').waitFor()
    await fillRow(page, '密码', PASSWORD)
    await page.locator('uni-button').getByText('登录', { exact: true }).click()
    await page.locator('.search input').waitFor()
    await page.getByText('静安店').first().waitFor()
    await page.getByText('今天已结算').waitFor()
    await look(page, 'staff-desk')
    staff.clean()
  })

  step('a scanner gun types the member code and Enter: the member opens', async () => {
    await page.locator('.search input').click()
    await page.keyboard.type(`LC1:${await codes.next()}`, { delay: 2 })
    await page.keyboard.press('Enter')
    await page.getByText('已扫会员码').waitFor()
    await page.getByText('何').first().waitFor()
    await look(page, 'staff-member')
    staff.clean()
  })

  step('quotes with lines that explain themselves and settles by balance; a double tap makes one order', async () => {
    await chooseVehicle()
    await chooseService()
    await look(page, 'staff-checkout')
    await quote()
    const text = await onPage(page, '.card').first().innerText()
    assert.match(text, /标准洗车/)
    assert.match(text, /轿车价|车价/)
    await look(page, 'staff-settle')
    const before = await settledToday()
    const settle = button(page, '确认收款')
    await settle.dblclick()
    await page.getByText('收款成功').waitFor()
    await look(page, 'staff-receipt')
    assert.equal((await settledToday()) - before, 1)
    staff.clean()
  })

  step('a used code is refused in words', async () => {
    staff.allow(/status of (404|409)/)
    await toDesk()
    await submit(codes.last())
    await page.locator('.notice-bad').waitFor()
    await look(page, 'staff-code-used')
    staff.clean()
  })

  step('looks up by a part of the plate: always a list; two characters are too few', async () => {
    staff.allow(/status of 422/)
    await submit(codes.plate.slice(-2))
    await page.locator('.notice-bad').waitFor()
    await submit(codes.plate.slice(-4))
    await page.getByText('请核对后选择').waitFor()
    await look(page, 'staff-lookup')
    await page.locator('.row').filter({ hasText: '何' }).first().click()
    await page.getByText('给哪辆车开单').waitFor()
    staff.clean()
  })

  step('settles a mix when the balance does not reach', async () => {
    await chooseVehicle()
    await chooseService('精致洗车')
    await quote()
    await page.locator('.notice-warn').waitFor() // balance 65, needs 88
    await look(page, 'staff-settle-missing')
    await page.locator('.notice-warn .chip').filter({ hasText: '现金' }).click()
    await look(page, 'staff-settle-mix')
    await button(page, '确认收款').click()
    await page.getByText('收款成功').waitFor()
    const text = await onPage(page, '.receipt').innerText()
    assert.match(text, /储值/)
    assert.match(text, /现金/)
    staff.clean()
  })

  step('reverses it with a reason', async () => {
    await button(page, '撤销').click()
    await page.locator('.chip').filter({ hasText: '选错了服务' }).click()
    await look(page, 'staff-reverse')
    await button(page, '确认撤销').click()
    await page.getByText(/由 李前台 撤销/).waitFor()
    await look(page, 'staff-reversed')
    const member = await desk.get(`/members/${codes.memberId}?storeId=${desk.storeId}`)
    assert.equal(member.wallet.totalFen, 6500)
    staff.clean()
  })

  step('serves a walk-in by plate, cash with change', async () => {
    await startWalkIn()
    await page.locator('.pick').filter({ hasText: '现金' }).click()
    await page.locator('.extra input').first().fill('50')
    await page.getByText('找零').waitFor()
    await look(page, 'staff-settle-cash')
    await button(page, '确认收款').click()
    await page.getByText('收款成功').waitFor()
    staff.clean()
  })

  step('WeChat at the desk: the code on the screen is paid and the page says so', async () => {
    await startWalkIn()
    await page.locator('.pick').filter({ hasText: '微信' }).click()
    await button(page, '付款码').click()
    const canvas = onPage(page, '.waiting canvas')
    await canvas.waitFor()
    const codeUrl = await decodeSoon(canvas)
    assert.match(codeUrl ?? '', /^weixin:\/\/wxpay\//)
    await look(page, 'staff-native')
    await weixin.pay({ codeUrl, personaId: 'p1' })
    await page.getByText('收款成功').waitFor()
    await look(page, 'staff-native-paid')
    staff.clean()
  })

  step('the price changes between quote and settlement: the new one is shown and asked for', async () => {
    staff.allow(/status of 409/)
    await startWalkIn()
    await page.locator('.pick').filter({ hasText: '现金' }).click()
    const service = (await boss.get('/services')).items.find((s) => s.name === SERVICE)
    const dearer = { ...service, prices: service.prices.map((p) => ({ ...p, priceFen: p.priceFen + 500 })) }
    await boss.put(`/services/${service.id}`, input(dearer))
    try {
      await button(page, '确认收款 ¥35').click()
      await page.getByText('价格有变化').waitFor()
      await look(page, 'staff-quote-changed')
      await button(page, '按新价格 ¥40').click()
      await page.locator('.pick').filter({ hasText: '现金' }).click()
      await button(page, '确认收款 ¥40').click()
      await page.getByText('收款成功').waitFor()
    } finally {
      await boss.put(`/services/${service.id}`, input(service))
    }
    staff.clean()
  })

  step('today lists what was done, and the other pages open', async () => {
    await toDesk()
    await page.locator('.tool').filter({ hasText: '今日流水' }).click()
    await page.locator('.row').first().waitFor()
    await look(page, 'staff-today')
    for (const [path, name] of [['account/index', 'account'], ['join/index', 'join'], ['scan/index', 'scan'], [`topup/index?member=${codes.memberId}`, 'topup']]) {
      await page.evaluate((to) => { location.hash = to }, `/pkg-staff/${path}`)
      await page.waitForTimeout(700)
      await look(page, `staff-${name}`)
    }
    staff.clean()
  })

  const settledToday = async () => (await desk.get(`/today?storeId=${desk.storeId}&limit=1`)).settledCount
  async function toDesk() {
    await button(page, '回到收银台').click()
    await page.locator('.tool').first().waitFor()
  }

  async function submit(text) {
    await page.locator('.search input').fill(text)
    await page.keyboard.press('Enter')
  }
  const chooseVehicle = () => page.locator('.row').filter({ has: page.locator('.plate') }).first().click()
  async function chooseService(name = SERVICE) {
    await page.locator('.item').filter({ hasText: name }).locator('.add').first().click()
  }
  async function quote() {
    await page.locator('.next').getByText('报价', { exact: true }).click()
    await page.getByText('收款方式').waitFor()
  }
  async function startWalkIn() {
    await toDesk()
    await page.locator('.tool').filter({ hasText: '散客开单' }).click()
    await typePlate(page, walkInPlate)
    await page.getByText('来过').first().waitFor()
    await look(page, 'staff-plate')
    await button(page, '开单').click()
    await page.locator('.chip').filter({ hasText: '轿车' }).click()
    await chooseService()
    await quote()
  }
})

/** What PUT takes of what GET gives. */
function input({ id: _, ...rest }) {
  return rest
}
