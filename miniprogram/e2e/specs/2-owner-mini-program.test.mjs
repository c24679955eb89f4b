// The same pages opened as the mini-program from the sandbox phone: silent login, WeChat's phone number, a new-energy plate.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newEnergyPlate, newPhone, newPlate, sandbox, staffApi } from '../lib/api.mjs'
import { launch, look, phone, story } from '../lib/browser.mjs'
import { allowMessages, button, cover, fillRow, onPage, tapText, typePlate } from '../lib/h5.mjs'

const origin = process.env.E2E_ORIGIN
const weixin = sandbox(origin)
const plate = newEnergyPlate()
const phoneNo = newPhone()
const nickname = `周舟${phoneNo.slice(-4)}`

describe('owner in the mini-program', () => {
  let browser, owner, page
  const step = story(test, () => page)

  before(async () => {
    browser = await launch()
    await weixin.addPersona(nickname, phoneNo)
    owner = await phone(browser)
    page = owner.page
  })
  after(() => browser?.close())

  step('picks a person on the sandbox phone and opens the mini-program, logged in without a question', async () => {
    owner.allow(/status of 404.*\/api\/owner\/(home|pulse)/) // not a member yet
    await page.goto(`${origin}/sandbox/`)
    await page.locator('button.row').filter({ hasText: nickname }).click()
    await page.getByText('打开小程序').waitFor()
    await look(page, 'sandbox-home')
    await page.getByText('打开小程序').click()
    await page.waitForURL(/\/h5\//)
    await page.getByText('领一张会员卡吧').waitFor()
    owner.clean()
  })

  step('joins with the phone number that WeChat gives, and an eight-character plate', async () => {
    await button(page, '免费领取会员卡').click()
    await page.locator('.agree').click()
    await button(page, '同意并继续').click()
    await button(page, '使用微信手机号').click()
    await coverQuestions()
    await fillRow(page, '称呼', '周舟')
    await tapText(page, '女士')
    await button(page, '下一步').click()
    await typePlate(page, plate)
    await page.locator('.chip').filter({ hasText: 'SUV' }).click()
    await look(page, 'h5-join-energy-plate')
    await button(page, '领取会员卡').click()
    await page.getByText('会员卡到手啦').waitFor()
    await button(page, '接收消费提醒').click()
    await allowMessages(page)
    await onPage(page, '.actions').waitFor()
    const found = await (await staffApi(origin)).get(`/lookup?storeId=${(await staffApi(origin)).storeId}&q=${plate.slice(-5)}`)
    assert.ok(found.items.some((item) => item.plates.includes(plate)))
    owner.clean()
  })

  step('keeps vehicles: adds a second one, and a wrong plate is refused in words', async () => {
    await page.goto(`${origin}/h5/#/pages/mine/index`)
    await onPage(page, '.row').filter({ hasText: '我的车辆' }).click()
    await page.getByText(plate.slice(-4)).first().waitFor()
    await look(page, 'h5-vehicles')
    await button(page, '添加').click()
    await page.locator('.boxes').waitFor()
    await look(page, 'h5-vehicle-form')
    await typePlate(page, '沪A12')
    await page.locator('.problem').waitFor()
    assert.match(await page.locator('.problem').innerText(), /还差 3 位/)
    await typePlate(page, newPlate())
    await button(page, '保存').click()
    await page.locator('.plate').nth(1).waitFor()
    owner.clean()
  })

  step('visits every other page', async () => {
    const pages = [
      ['profile/index', 'profile'], ['settings/index', 'settings'], ['settings/text?kind=privacy', 'privacy'], ['settings/text?kind=charter', 'charter'],
      ['settings/limits', 'limits'], ['settings/close', 'close'], ['mine/index', 'mine'], ['records/index', 'records-empty'],
    ]
    for (const [path, name] of pages) {
      await page.evaluate((to) => { location.hash = to }, `/pages/${path}`)
      await page.locator('uni-page-body').waitFor()
      await page.waitForTimeout(500)
      await look(page, `h5-${name}`)
      assert.ok((await page.locator('uni-page-body').innerText()).length > 10, `${path} shows something`)
    }
    owner.clean()
  })

  step('a second identity with the same phone is offered the card it already has', async () => {
    const other = await phone(browser)
    other.allow(/status of (404|409).*\/api\/owner\//)
    const twin = `周舟二${phoneNo.slice(-4)}`
    await weixin.addPersona(twin, phoneNo)
    await other.page.goto(`${origin}/sandbox/`)
    await other.page.locator('button.row').filter({ hasText: twin }).click()
    await other.page.getByText('打开小程序').click()
    await button(other.page, '免费领取会员卡').click()
    await other.page.locator('.agree').click()
    await button(other.page, '同意并继续').click()
    await button(other.page, '使用微信手机号').click()
    await coverQuestions(other.page)
    await other.page.getByText('欢迎回来').waitFor()
    await look(other.page, 'h5-join-bind')
    await button(other.page, '绑定这张卡').click()
    await onPage(other.page, '.face').first().waitFor()
    other.clean()
    await other.context.close()
  })

  /** Privacy question where the platform asks it, then the phone number. */
  async function coverQuestions(on = page) {
    const accept = cover(on).locator('#accept')
    await accept.waitFor()
    await look(on, 'sheet-phone')
    const privacy = /隐私/.test(await cover(on).locator('h1').innerText())
    await accept.click()
    if (privacy) await cover(on).getByText('手机号').first().waitFor().then(() => accept.click())
  }
})
