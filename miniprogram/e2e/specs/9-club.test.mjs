// The membership programme from three sides: a pass bought on the phone and used at the till, a coupon for a friend who joins and pays, points for both,
// a mat from the mall that is handed out by its code, and the rest of the pass given back in the console.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { consoleApi, newPhone, newPlate, sandbox, staffApi } from '../lib/api.mjs'
import { launch, look, phone, story } from '../lib/browser.mjs'
import { consoleLogin, desktop, dialog, open } from '../lib/console.mjs'
import { button, fillRow, logInAs, onPage, payOnSheet, provePhone, staffLogin, tapText, typePlate } from '../lib/h5.mjs'
import { memberCodes, ownerApi } from '../lib/member.mjs'
import { decodeSoon } from '../lib/qr.mjs'

const origin = process.env.E2E_ORIGIN
const weixin = sandbox(origin)
const PASS = '标准洗车 10 次卡'
const WASH = '标准洗车'
const COUPON = '洗车满 50 减 10'
const MAT = '全包围脚垫'
const ownerPhone = newPhone()
const friendPhone = newPhone()
const friendPlate = newPlate()
const friendName = `陆一鸣${friendPhone.slice(-4)}`

describe('membership programme', () => {
  let browser, owner, page, staff, till, friend, desk, boss, codes, friendPersona, friendApi, matId, passId, invite, giftUrl
  let current = () => page
  const step = story(test, () => current())
  const coupons = async () => (await codes.get('/coupons?state=available')).items.filter((c) => c.offer.name === COUPON).length

  before(async () => {
    browser = await launch()
    desk = await staffApi(origin)
    boss = await consoleApi(origin)
    codes = await memberCodes(origin, { name: '许清和', phone: ownerPhone, plate: newPlate() })
    friendPersona = await weixin.addPersona(friendName, friendPhone)
    const rules = await boss.get('/referrals/rules')
    await boss.put('/referrals/rules', { ...rules, on: true, shareOn: false, inviterGift: [{ kind: 'points', n: 300 }], friendGift: [{ kind: 'points', n: 50 }] })
    matId = (await codes.get('/mall/items')).items.find((item) => item.name === MAT).id
    owner = await phone(browser)
    page = owner.page
    staff = await phone(browser)
    till = staff.page
    friend = await phone(browser)
    await staffLogin(till, origin)
  })
  after(() => browser?.close())

  step('the owner buys a pass of ten washes for the car and pays by WeChat', async () => {
    owner.allow(/status of (401|403)/) // not logged in yet
    await page.goto(`${origin}/h5/#/pages/club/index?tab=passes`)
    await button(page, '微信登录').click()
    await page.waitForURL(/\/sandbox\/connect\/oauth2\/authorize/)
    await logInAs(page, codes.persona.nickname)
    await page.locator('.plan:visible').filter({ hasText: PASS }).click()
    await page.getByText('买之前请看清').waitFor()
    await onPage(page, '.chip.on').filter({ hasText: codes.plate.slice(-4) }).waitFor()
    await look(page, 'club-plan')
    await button(page, '微信支付 ¥288.00').click()
    await payOnSheet(page)
    await page.locator('.result .mark.good').waitFor()
    await look(page, 'club-bought')
    const [held] = (await codes.get('/passes?state=open')).items
    passId = held.id
    await page.goto(`${origin}/h5/#/pages/club/pass?id=${passId}`)
    await page.getByText('剩 10 / 10 次').waitFor()
    owner.clean()
  })

  step('the first wash: the till takes the pass by itself, and there is nothing to pay', async () => {
    current = () => till
    await scanned()
    await till.locator('.pass').filter({ hasText: '剩 10 / 10 次' }).waitFor()
    await look(till, 'club-desk-member')
    await bill(WASH)
    await till.locator('.offer[aria-checked=true]').filter({ hasText: PASS }).waitFor()
    await look(till, 'club-pay')
    await button(till, '不用收款，完成结算').click()
    await till.getByText('收款成功').waitFor()
    await till.getByText('还剩 9 次').waitFor()
    await look(till, 'club-receipt')
    staff.clean()
  })

  step('the second: without the pass it would cost 35.00; taken back, the pass pays again', async () => {
    await found(ownerPhone, '许')
    await bill(WASH)
    const row = till.locator('.offer').filter({ hasText: PASS })
    await row.click()
    await button(till, '¥35.00').waitFor()
    await look(till, 'club-pay-by-hand')
    await row.click()
    await button(till, '不用收款，完成结算').click()
    await till.getByText('还剩 8 次').waitFor()
    staff.clean()
  })

  step('the third, and the owner sees three uses', async () => {
    await found(ownerPhone, '许')
    await bill(WASH)
    await button(till, '不用收款，完成结算').click()
    await till.getByText('还剩 7 次').waitFor()
    current = () => page
    await page.reload()
    await page.getByText('剩 7 / 10 次').waitFor()
    assert.equal(await page.locator('.use').count(), 3)
    await look(page, 'club-pass')
    owner.clean()
  })

  step('the desk gives a coupon, and the owner passes it on by a link', async () => {
    current = () => till
    await found(ownerPhone, '许')
    await till.locator('.assets').click()
    await tapText(till, '发券')
    await till.locator('.sheet:visible .row').filter({ hasText: COUPON }).click()
    await till.locator('.sheet:visible .chip').filter({ hasText: '老顾客答谢' }).click()
    await look(till, 'club-give')
    await button(till, '发 1 张给会员').click()
    await until(async () => (await coupons()) === 2, 'one from the desk; and one with the pass, since over 200.00 brings one')
    await till.reload()
    await till.locator('uni-page .row:visible').filter({ hasText: COUPON }).nth(1).waitFor()
    await look(till, 'club-benefits')
    staff.clean()
    current = () => page
    await page.goto(`${origin}/h5/#/pages/club/coupons/index`)
    await page.locator('.ticket:visible').filter({ hasText: COUPON }).locator('.act').filter({ hasText: '送朋友' }).first().click()
    await page.locator('.uni-modal__btn_primary').click()
    await page.getByText('复制链接').waitFor()
    await look(page, 'club-gift-link')
    const given = (await codes.get('/coupons?state=available')).items.find((c) => c.gift)
    giftUrl = given.gift.url
    invite = (await codes.get('/referral')).link
    owner.clean()
  })

  step('the friend opens the invitation, joins, and takes the coupon', async () => {
    const p = friend.page
    current = () => p
    friend.allow(/status of (401|403|404).*\/api\/owner\//)
    await p.goto(local(invite))
    await p.waitForURL(/\/sandbox\/connect\/oauth2\/authorize/)
    await logInAs(p, friendName)
    await p.locator('.agree').click()
    await button(p, '同意并继续').click()
    await button(p, '手动输入').click()
    await provePhone(p, weixin, friendPhone)
    await fillRow(p, '称呼', '陆一鸣')
    await button(p, '下一步').click()
    await typePlate(p, friendPlate)
    await p.locator('.chip').filter({ hasText: '轿车' }).click()
    await button(p, '领取会员卡').click()
    await p.getByText('会员卡到手啦').waitFor()
    await p.goto(local(giftUrl))
    await p.getByText('送您一张券').waitFor()
    await look(p, 'club-gift')
    await tapText(p, '收下')
    await p.getByText('来店结算时会自动用上').waitFor()
    friend.clean()
    friendApi = await ownerApi(origin, friendPersona.id)
    assert.equal(await coupons(), 1, 'the coupon is the friend’s now')
  })

  step('the friend pays for a better wash with it, and both get points', async () => {
    current = () => till
    const before = (await codes.get('/points')).available
    await found(friendPhone, '陆')
    await bill('精致洗车')
    await till.locator('.offer[aria-checked=true]').filter({ hasText: COUPON }).waitFor()
    await till.getByText('这次为顾客省了 ¥10.00').waitFor()
    await till.locator('.pick').filter({ hasText: '现金' }).click()
    await look(till, 'club-pay-coupon')
    await button(till, '确认收款 ¥78.00').click()
    await till.getByText('本次得到积分').waitFor()
    await look(till, 'club-receipt-points')
    const got = async () => [(await codes.get('/points')).available - before, (await friendApi.get('/points')).available].join()
    // For the friend; and to the friend 78 for the money, 50 for coming by a friend, 50 that everybody gets who joins.
    const want = [300, 78 + 50 + 50].join()
    await until(async () => (await got()) === want, 'the rewards come by themselves').catch(async () => assert.equal(await got(), want))
    staff.clean()
  })

  step('the owner redeems a mat with points and money', async () => {
    current = () => page
    await boss.post(`/members/${codes.memberId}/points`, { points: 1000, reason: '开业活动赠送' })
    await page.goto(`${origin}/h5/#/pages/club/item?id=${matId}`)
    await button(page, '兑换并付 ¥99.00').waitFor()
    await page.locator('.row:visible').filter({ hasText: '静安店' }).click()
    await look(page, 'club-item')
    await button(page, '兑换并付 ¥99.00').click()
    await page.locator('.uni-modal__btn_primary').click()
    await payOnSheet(page)
    await page.getByText('到店出示这个码取货').waitFor()
    await look(page, 'club-mat')
    owner.clean()
  })

  step('it is handed out to who shows the code, once', async () => {
    const code = await decodeSoon(onPage(page, '.pick canvas'))
    assert.match(code ?? '', /^\d{10}$/)
    current = () => till
    await toDesk()
    await till.locator('.search input').click()
    await till.keyboard.type(code, { delay: 2 }) // a scanner gun at the till's own field
    await till.keyboard.press('Enter')
    await till.locator('.gift').filter({ hasText: MAT }).waitFor()
    await look(till, 'club-pickup')
    await button(till, '交付 1 件给顾客').click()
    await till.locator('.uni-modal__btn_primary').click()
    await till.locator('.given').waitFor()
    await look(till, 'club-delivered')
    await till.locator('.search:visible input').fill(code)
    await button(till, '查找').click()
    await till.getByText('不能再领').waitFor()
    assert.equal(await till.locator('.bottom-bar:visible').count(), 0)
    staff.clean()
    current = () => page
    await page.getByText('已领取').first().waitFor() // by itself
    owner.clean()
  })

  step('the rest of the pass goes back: the owner sees the sum first, the manager does it', async () => {
    await page.goto(`${origin}/h5/#/pages/club/refund?id=${passId}`)
    await page.getByText('今天退，可以退回').waitFor()
    assert.match(await onPage(page, '.total').last().innerText(), /183/) // 288 less three at 35
    await look(page, 'club-refund')
    const manager = await desktop(browser)
    current = () => manager.page
    await consoleLogin(manager.page, origin, 'manager')
    await open(manager.page, origin, `/passes/${passId}`)
    await manager.page.getByRole('button', { name: '退卡', exact: true }).click()
    await dialog(manager.page).getByRole('button', { name: /退卡 .*183/ }).waitFor()
    await dialog(manager.page).locator('.reason input').fill('搬家了，用不上')
    await dialog(manager.page).getByRole('button', { name: /退卡 .*183/ }).click()
    await until(async () => (await codes.get(`/passes/${passId}`)).state === 'refunded', 'the pass is given back')
    await look(manager.page, 'club-console-refund')
    manager.clean()
    current = () => page
    const pass = await codes.get(`/passes/${passId}`)
    assert.equal(pass.refundedFen, 18_300)
    await page.goto(`${origin}/h5/#/pages/club/pass?id=${passId}`)
    await page.getByText('已退卡').first().waitFor()
    owner.clean()
  })

  /** The link as it was sent, opened on this machine. */
  const local = (url) => url.replace(/^https?:\/\/[^/]+/, origin)
  async function toDesk() {
    await till.goto(`${origin}/h5/#/pkg-staff/desk/index`)
    await till.locator('.search:visible input').waitFor()
  }
  async function scanned() {
    await toDesk()
    await till.locator('.search:visible input').fill(`LC1:${await codes.next()}`)
    await till.keyboard.press('Enter')
    await till.getByText('已扫会员码').waitFor()
  }
  async function found(phoneNo, surname) {
    await toDesk()
    await till.locator('.search:visible input').fill(phoneNo)
    await till.keyboard.press('Enter')
    await till.locator('.row:visible').filter({ hasText: surname }).first().click()
    await till.getByText('给哪辆车开单').waitFor()
  }
  async function bill(service) {
    await till.locator('.row:visible').filter({ has: till.locator('.plate') }).first().click()
    await till.locator('.item:visible').filter({ hasText: service }).locator('.add').first().click()
    await till.locator('.next:visible').getByText('报价', { exact: true }).click()
    await till.getByText('卡、券和积分').waitFor()
  }
  async function until(holds, what) {
    for (let i = 0; i < 60; i++) {
      if (await holds()) return
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    assert.fail(`not in time: ${what}`)
  }
})
