// The compiled mini-program itself (WXML, WXSS and JS as WeChat gets them) against the real server.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newEnergyPlate, newPhone, sandbox, staffApi } from '../lib/api.mjs'
import { launch, look, story } from '../lib/browser.mjs'
import { decodeSoon } from '../lib/qr.mjs'
import { miniProgram, pack } from '../lib/runner.mjs'

const origin = process.env.E2E_ORIGIN
const phoneNo = newPhone()
const plate = newEnergyPlate()
/** uni-app's beacon to its vendor would fire three seconds after start. */
const BEACON_MS = 3600

describe('compiled mini-program', () => {
  let browser, app, page, started
  const step = story(test, () => page)

  before(async () => {
    pack()
    browser = await launch()
    const persona = await sandbox(origin).addPersona(`秦川${phoneNo.slice(-4)}`, phoneNo)
    app = await miniProgram(browser, origin, persona, [/status of 404.*\/api\/owner\/(home|pulse)/]) // not a member yet
    page = app.page
    started = Date.now()
  })
  after(async () => {
    app?.close()
    await browser?.close()
  })
  const clean = async () => {
    app.clean()
    assert.deepEqual(await app.faults(), [])
  }
  const tap = (selector, text) => app.on(selector).filter({ hasText: text }).first().tap()

  step('starts, logs in with wx.login, and invites to join', async () => {
    await app.on(':text("领一张会员卡吧")').waitFor()
    assert.ok((await app.calls('login')).length > 0)
    await look(page, 'mp-stranger')
    await clean()
  })

  step('joins with getPhoneNumber and a new-energy plate', async () => {
    await tap('wx-button', '免费领取会员卡')
    await app.on('.agree').tap()
    await tap('wx-button', '同意并继续')
    await tap('wx-button', '使用微信手机号')
    await app.on('input').first().fill('秦川')
    await look(page, 'mp-join-person')
    await tap('wx-button', '下一步')
    await app.on('.box').first().tap()
    for (const char of plate) await app.on('.keyboard .key').getByText(char, { exact: true }).tap()
    await app.on('.keyboard .finish').tap()
    await page.waitForTimeout(400)
    await look(page, 'mp-join-vehicle')
    await tap('wx-button', '领取会员卡')
    await app.on(':text("会员卡到手啦")').waitFor()
    await tap('wx-button', '直接看会员卡')
    await app.on('.face').first().waitFor()
    await look(page, 'mp-home')
    await clean()
  })

  step('tops up 500 with requestPayment', async () => {
    await tap('.action', '充值')
    await tap('.plan', '500')
    await tap('wx-button', '微信支付 ¥500')
    await app.on(':text("充值到账")').waitFor()
    await look(page, 'mp-topup-credited')
    assert.equal((await app.calls('requestPayment')).length, 1)
    assert.equal((await app.calls('requestSubscribeMessage')).length, 1)
    await tap('wx-button', '看看会员卡')
    await app.on('.face').filter({ hasText: '580' }).waitFor()
    await clean()
  })

  step('shows a code that decodes, and is told of the deduction within two seconds', async () => {
    await tap('.action', '会员码')
    await app.on('canvas').waitFor()
    await page.waitForTimeout(500)
    const digits = async () => (await app.on('.digits').innerText()).replace(/\D/g, '')
    let shown = await digits()
    let scanned = await decodeSoon(app.on('canvas'))
    if (shown !== (await digits())) [shown, scanned] = [await digits(), await decodeSoon(app.on('canvas'))]
    assert.equal(scanned, `LC1:${shown}`)
    await look(page, 'mp-code')
    const desk = await staffApi(origin)
    const member = await desk.post('/scan', { storeId: desk.storeId, code: scanned })
    await desk.settle({ memberId: member.memberId, plate, service: '标准洗车' })
    const settled = Date.now()
    await app.on('.notice').filter({ hasText: '消费' }).waitFor()
    assert.ok(Date.now() - settled < 2000, `the notice came after ${Date.now() - settled} ms`)
    await look(page, 'mp-code-notice')
    await app.on('.notice .title').tap()
    await app.on('.receipt').waitFor()
    await look(page, 'mp-receipt')
    await clean()
  })

  step('opens the staff sub-package', async () => {
    await page.evaluate(() => window.__sim.wx.navigateTo({ url: '/pkg-staff/login/index' }))
    await app.on(':text("员工工作台")').first().waitFor()
    await look(page, 'mp-staff-login')
    await clean()
  })

  step('sends no beacon to anybody', async () => {
    await page.waitForTimeout(Math.max(0, BEACON_MS - (Date.now() - started)))
    assert.deepEqual(await app.calls('preloadAssets'), [])
    await clean()
  })
})
