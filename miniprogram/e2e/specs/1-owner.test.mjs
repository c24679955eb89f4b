// A car owner's story on a phone, in the pages of the official account: join, top up, show the code, be served, ask.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newPhone, newPlate, sandbox, staffApi } from '../lib/api.mjs'
import { launch, look, phone, story } from '../lib/browser.mjs'
import { button, cover, fillRow, logInAs, onPage, openChat, payOnSheet, tapText, typePlate } from '../lib/h5.mjs'
import { decodeSoon } from '../lib/qr.mjs'

const origin = process.env.E2E_ORIGIN
const weixin = sandbox(origin)
const plate = newPlate()
const deskPhone = newPhone()
const nickname = `刘洋${deskPhone.slice(-4)}`

describe('owner', () => {
  let browser, owner, page, desk, memberId, persona
  const step = story(test, () => page)

  before(async () => {
    browser = await launch()
    persona = await weixin.addPersona(nickname, deskPhone)
    desk = await staffApi(origin)
    owner = await phone(browser)
    page = owner.page
  })
  after(() => browser?.close())

  step('logs in through the real OAuth redirect', async () => {
    owner.allow(/status of 404.*\/api\/owner\/(home|pulse)/) // not a member yet
    await page.goto(`${origin}/h5/`)
    await look(page, 'h5-guest')
    await button(page, '微信登录').click()
    await page.waitForURL(/\/sandbox\/connect\/oauth2\/authorize/)
    await look(page, 'oauth-pick')
    await logInAs(page, nickname)
    await page.getByText('领一张会员卡吧').waitFor()
    assert.equal(new URL(page.url()).search, '', 'the ticket is gone from the address')
    await look(page, 'h5-stranger')
    owner.clean()
  })

  step('reads the charter, types phone, name and plate, and holds a card', async () => {
    await button(page, '免费领取会员卡').click()
    await page.getByText('隐私说明', { exact: true }).click()
    await look(page, 'h5-join-charter')
    await page.locator('.agree').click()
    await button(page, '同意并继续').click()
    await look(page, 'h5-join-phone')
    await button(page, '手动输入').click()
    await fillRow(page, '手机号', deskPhone)
    await button(page, '获取验证码').click()
    await page.getByText('秒后重发').waitFor()
    const right = await weixin.textCode(deskPhone)
    owner.allow(/status of 422.*phone\/code\/verify/)
    await fillRow(page, '验证码', right === '000000' ? '000001' : '000000')
    await button(page, '下一步').click()
    await page.getByText('还可以试 4 次').waitFor()
    await look(page, 'h5-join-code-wrong')
    await fillRow(page, '验证码', right)
    await button(page, '下一步').click()
    await fillRow(page, '称呼', '刘洋')
    await tapText(page, '先生')
    await look(page, 'h5-join-person')
    await button(page, '下一步').click()
    await typePlate(page, plate)
    await page.locator('.chip').filter({ hasText: '轿车' }).click()
    await look(page, 'h5-join-vehicle')
    await button(page, '领取会员卡').click()
    await page.getByText('会员卡到手啦').waitFor()
    await look(page, 'h5-join-done')
    const no = (await page.locator('.no').first().innerText()).replace(/\D/g, '')
    assert.match(no, /^\d{10,19}$/)
    assert.equal(luhn(no), 0, 'the card number has a good check digit')
    await page.locator('uni-button').filter({ hasText: '看会员卡' }).last().click()
    await onPage(page, '.actions').waitFor()
    await look(page, 'h5-home-new')
    owner.clean()
  })

  step('tops up 500: pay sheet, 80 on top; no subscribe question, which the mini-program alone can ask', async () => {
    await onPage(page, '.action').filter({ hasText: '充值' }).click()
    await onPage(page, '.plan').filter({ hasText: '500' }).first().click()
    await look(page, 'h5-topup')
    await button(page, '微信支付 ¥500').click()
    await cover(page).locator('#keys').waitFor()
    await look(page, 'pay-sheet')
    await payOnSheet(page)
    await page.getByText('充值到账').waitFor()
    await page.getByText('余额 ¥580').waitFor()
    await look(page, 'h5-topup-credited')
    await button(page, '看看会员卡').click()
    await onPage(page, '.actions').waitFor()
    await page.getByText('580').first().waitFor()
    await look(page, 'h5-home-member')
    memberId = (await desk.get(`/lookup?storeId=${desk.storeId}&q=${deskPhone}`)).items[0].memberId
    owner.clean()
  })

  step('gives up in the pay sheet: nothing is taken, the order waits, and can be cancelled', async () => {
    await openTopup(200)
    await cover(page).locator('[data-outcome=cancel]').first().click()
    await page.getByText('还没有付款').waitFor()
    await look(page, 'h5-topup-open')
    await button(page, '取消充值').click()
    await look(page, 'h5-topup-cancel-ask')
    await page.locator('.uni-modal__btn_primary').click()
    await page.getByText('充值已取消').waitFor()
    await look(page, 'h5-topup-closed')
    await button(page, '看看会员卡').click()
    owner.clean()
  })

  step('a wrong password takes nothing; the right one afterwards does', async () => {
    await openTopup(200)
    await cover(page).locator('[data-outcome=wrong_password]').click()
    await cover(page).locator('#wrong').waitFor()
    await look(page, 'pay-sheet-wrong')
    await payOnSheet(page)
    await page.getByText('余额 ¥780').waitFor()
    await button(page, '看看会员卡').click()
    owner.clean()
  })

  step('pays and the notification is lost: found by asking WeChat', async () => {
    await openTopup(200)
    await cover(page).locator('[data-outcome=pay_lose_notification]').click()
    await cover(page).locator('#done').getByText('完成').click()
    await page.getByText('余额 ¥980').waitFor({ timeout: 30_000 })
    await button(page, '看看会员卡').click()
    owner.clean()
  })

  step('shows a member code that a scanner reads, also without network', async () => {
    await onPage(page, '.action').filter({ hasText: '会员码' }).click()
    const canvas = onPage(page, '.qr canvas')
    await canvas.waitFor()
    await readable(canvas)
    await look(page, 'h5-code')
    owner.allow(/ERR_INTERNET_DISCONNECTED/)
    await owner.context.setOffline(true)
    await page.evaluate(() => uni.switchTab({ url: '/pages/home/index' })).catch(() => page.goBack())
    await page.waitForTimeout(300)
    await onPage(page, '.action').filter({ hasText: '会员码' }).click()
    await canvas.waitFor()
    await readable(canvas)
    await look(page, 'h5-code-offline')
    await owner.context.setOffline(false)
    owner.clean()
  })

  step('sees the deduction by itself, without a reload', async () => {
    await page.evaluate(() => (window.beforeTheDeduction = true))
    await page.waitForResponse((answer) => answer.url().includes('/pulse') && answer.ok(), { timeout: 30_000 }) // back from the offline minute
    const receipt = await desk.settle({ memberId, plate, service: '标准洗车' })
    await page.locator('.notice').filter({ hasText: '消费' }).waitFor()
    assert.equal(await page.evaluate(() => window.beforeTheDeduction), true, 'the page was not loaded again')
    await look(page, 'h5-code-notice')
    await page.locator('.notice .title').click()
    await onPage(page, '.receipt').waitFor()
    const text = await onPage(page, '.receipt').innerText()
    for (const fact of ['标准洗车', '静安店', '李前台', receipt.no, '卡内余额']) assert.match(text, new RegExp(fact))
    await look(page, 'h5-receipt')
    owner.clean()
  })

  step('asks about it with one tap', async () => {
    await button(page, '有疑问').click()
    await page.locator('.reason').filter({ hasText: '金额不对' }).click()
    await look(page, 'h5-dispute')
    await button(page, '提交疑问').click()
    await page.getByText('疑问处理中').waitFor()
    await look(page, 'h5-receipt-disputed')
    owner.clean()
  })

  step('lists records, and the last one is the deduction', async () => {
    await page.goto(`${origin}/h5/#/pages/records/index`)
    await onPage(page, '.row, .record').first().waitFor()
    await look(page, 'h5-records')
    const text = await page.locator('uni-page').last().innerText()
    assert.match(text, /标准洗车/)
    assert.match(text, /\+¥580/)
    owner.clean()
  })

  step('the message arrived on the phone', async () => {
    const messages = async () => (await weixin.state()).messages.filter((m) => m.personaId === persona.id)
    for (let i = 0; i < 20 && !(await messages()).some((m) => /扣款/.test(m.title)); i++) await page.waitForTimeout(300)
    await page.goto(`${origin}/sandbox/`)
    await page.locator('.row').first().waitFor()
    await look(page, 'sandbox-chats')
    await openChat(page, page.locator('.list .row').filter({ has: page.locator('.badge') }).first())
    await page.locator('.msg').filter({ hasText: '消费扣款通知' }).waitFor()
    await look(page, 'sandbox-message')
    owner.clean()
  })

  /** The picture says what the digits say. They change together every minute: a change in between does not count. */
  async function readable(canvas) {
    for (;;) {
      const shown = await digits(page)
      const scanned = await decodeSoon(canvas)
      if (shown !== (await digits(page))) continue
      return assert.equal(scanned, `LC1:${shown}`)
    }
  }

  async function openTopup(yuan) {
    await onPage(page, '.action').filter({ hasText: '充值' }).click()
    await onPage(page, '.plan').filter({ hasText: String(yuan) }).first().click()
    await button(page, `微信支付 ¥${yuan}`).click()
    await cover(page).locator('#keys').waitFor()
  }
})

const digits = async (page) => (await onPage(page, '.digits').innerText()).replace(/\D/g, '')

function luhn(number) {
  return [...number].reverse().reduce((sum, c, i) => sum + (i % 2 ? [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][c] : Number(c)), 0) % 10
}
