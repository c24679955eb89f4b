// A stranger meets the shop through its official account: follows, gets the coupon, joins, is the same member in the mini-program, books, is told,
// follows no longer and is reached by SMS.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { consoleApi, newPhone, newPlate, sandbox, staffApi } from '../lib/api.mjs'
import { launch, look, phone, story } from '../lib/browser.mjs'
import { consoleLogin, desktop, open } from '../lib/console.mjs'
import { button, fillRow, onPage, openChat, provePhone, tapText, typePlate } from '../lib/h5.mjs'
import { ownerApi } from '../lib/member.mjs'
import { dayOf, workshop } from '../lib/workshop.mjs'

const origin = process.env.E2E_ORIGIN
const weixin = sandbox(origin)
const phoneNo = newPhone()
const plate = newPlate()
const nickname = `温以宁${phoneNo.slice(-4)}`
const GIFT = `关注礼券${phoneNo.slice(-4)}`

describe('official account', () => {
  let browser, owner, page, office, desk, boss, persona, mine, memberId, booking
  let current = () => page
  const step = story(test, () => current())

  before(async () => {
    browser = await launch()
    persona = await weixin.addPersona(nickname, phoneNo, { follows: false })
    desk = await staffApi(origin)
    await workshop(origin, desk.storeId, { withDeposit: '精致洗车', rescue: '道路救援' })
    boss = await consoleApi(origin, 'boss')
    const gift = await boss.post('/coupon-templates', { name: GIFT, kind: 'amount', offFen: 1000, thresholdFen: 3000, stack: 'any', validDays: 30 })
    await boss.post('/gift-rules', { name: `关注有礼${phoneNo.slice(-4)}`, trigger: 'first_follow', terms: {}, gift: [{ kind: 'coupon', id: gift.id, n: 1 }] })
    owner = await phone(browser)
    page = owner.page
  })
  after(() => browser?.close())

  const coupons = async () => ((await mine.get('/coupons?state=available')).items ?? []).filter((one) => one.offer.name === GIFT).length
  const chat = async () => {
    await page.goto(`${origin}/sandbox/`)
    await openChat(page, page.locator('.list .row').nth(1))
  }

  step('follows on the phone, and is greeted', async () => {
    await page.goto(`${origin}/sandbox/#me`)
    await page.locator('.row').filter({ hasText: nickname }).click()
    await chat()
    await page.getByRole('button', { name: '关注公众号' }).click()
    await page.locator('.bubble').filter({ hasText: '欢迎关注亮车洗护' }).waitFor()
    await look(page, 'oa-welcome')
    owner.clean()
  })

  step('opens a page from the menu, is known by WeChat, and joins', async () => {
    owner.allow(/status of (401|403|404).*\/api\/owner\//) // not logged in, then not a member yet
    await page.locator('#menu').getByText('≡ 会员').click()
    await page.locator('#menu').getByText('我的优惠券').click()
    await button(page, '免费领卡，马上回来').click()
    await page.locator('.agree').click()
    await button(page, '同意并继续').click()
    await button(page, '手动输入').click()
    await provePhone(page, weixin, phoneNo)
    await fillRow(page, '称呼', '温以宁')
    await button(page, '下一步').click()
    await typePlate(page, plate)
    await page.locator('.chip').filter({ hasText: '轿车' }).click()
    await button(page, '领取会员卡').click()
    await page.getByText('会员卡到手啦').waitFor()
    await look(page, 'oa-joined')
    owner.clean()
  })

  step('has the coupon for following, and the account says so', async () => {
    mine = await ownerApi(origin, persona.id)
    await until(async () => (await coupons()) === 1, 'the coupon for following')
    memberId = (await boss.get('/oa/followers')).items.find((one) => one.memberId).memberId
    await page.goto(`${origin}/h5/#/pages/club/coupons/index`)
    await page.locator('.ticket:visible').filter({ hasText: GIFT }).waitFor()
    await look(page, 'oa-coupon')
    await chat()
    await page.locator('.msg').filter({ hasText: GIFT }).waitFor()
    await look(page, 'oa-coupon-message')
    owner.clean()
  })

  step('is the same member in the mini-program', async () => {
    await page.goto(`${origin}/sandbox/`)
    await page.getByText('打开小程序').click()
    await onPage(page, '.face').waitFor()
    const home = await mine.get('/home')
    assert.match((await onPage(page, '.face').innerText()).replace(/\s/g, ''), new RegExp(home.card.no ?? home.card.cardNo))
    assert.equal(await coupons(), 1)
    await look(page, 'oa-mini-program')
    owner.clean()
  })

  step('books; what happens to the car is told by the account', async () => {
    const [car] = (await mine.get('/vehicles')).items
    const wash = (await mine.get(`/booking/options?storeId=${desk.storeId}`)).services.find((one) => one.name === '标准洗车')
    const found = await mine.get(`/booking/slots?storeId=${desk.storeId}&vehicleId=${car.id}&serviceIds=${wash.id}&from=${dayOf(1)}`)
    const { startsAt } = found.days[0].slots.at(-1) // whatever others have booked
    const held = await mine.post('/bookings', { storeId: desk.storeId, kind: 'visit', vehicleId: car.id, serviceIds: [wash.id], startsAt, channel: 'h5' })
    booking = held.state === 'held' ? await mine.post(`/bookings/${held.id}/confirm`, {}) : held
    assert.equal(booking.state, 'confirmed')
    await chat()
    await page.locator('.msg').filter({ hasText: '预约成功' }).waitFor()
    await look(page, 'oa-booked')
    owner.clean()
  })

  step('pays, and gets the receipt', async () => {
    await desk.post('/topups', { storeId: desk.storeId, memberId: memberId, amountFen: 10_000, tender: 'cash' })
    await desk.settle({ memberId: memberId, plate, service: '标准洗车' })
    await page.locator('.msg').filter({ hasText: '消费扣款' }).waitFor()
    await look(page, 'oa-receipt')
    owner.clean()
  })

  step('follows no longer, and is told by SMS that the car is ready', async () => {
    await page.getByRole('button', { name: '取消关注' }).click()
    await page.getByText('你已取消关注').waitFor()
    await until(async () => (await boss.get('/oa/followers')).items.some((one) => one.memberId === memberId && one.state === 'left'), 'the account knows')
    for (const act of ['arrive', 'start', 'finish']) await desk.post(`/bookings/${booking.id}/${act}`, {})
    await page.locator('#back').click()
    await openChat(page, page.locator('.list .row').nth(2))
    await page.locator('.msg').filter({ hasText: '已完工' }).waitFor()
    await look(page, 'oa-sms')
    owner.clean()
  })

  step('the console shows who followed, and by which way each message went', async () => {
    office = await desktop(browser)
    current = () => office.page
    office.allow(/status of 401/) // nobody is signed in yet
    await consoleLogin(office.page, origin, 'boss')
    await open(office.page, origin, '/official?tab=followers')
    await look(office.page, 'console-oa-followers')
    await open(office.page, origin, '/messages')
    await look(office.page, 'console-messages')
    office.clean()
  })

  async function until(holds, what) {
    for (let i = 0; i < 60; i++) {
      if (await holds()) return
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    assert.fail(`not in time: ${what}`)
  }
})
