// What the shop does for those who are away, wet, or there twice: calls who stays away and sends a coupon, marks the rain, sets reminders, merges two
// members who are one; then the lists on the phone of somebody at the counter.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { consoleApi, newPhone, newPlate, staffApi } from '../lib/api.mjs'
import { launch, look, phone, story } from '../lib/browser.mjs'
import { consoleLogin, desktop, dialog, open, settled } from '../lib/console.mjs'
import { button, fillRow, onPage, PASSWORD, tapText } from '../lib/h5.mjs'
import { memberCodes } from '../lib/member.mjs'

const origin = process.env.E2E_ORIGIN
const GIFT = '回店立减 15 元'
const VOUCHER = '雨后补洗券'
const NOTE = '周末来，想试试打蜡'

describe('follow-up', () => {
  let browser, seat, page, counter, mobile, boss, desk, washed, keep, extra, task
  let current = () => page
  const step = story(test, () => current())

  before(async () => {
    browser = await launch()
    boss = await consoleApi(origin, 'boss')
    desk = await staffApi(origin)
    washed = await memberCodes(origin, { name: '沈知遥', phone: newPhone(), plate: newPlate() })
    await desk.post('/topups', { storeId: desk.storeId, memberId: washed.memberId, amountFen: 10_000, tender: 'cash' })
    await desk.settle({ memberId: washed.memberId, plate: washed.plate, service: '标准洗车' })
    keep = await memberCodes(origin, { name: '顾南枝', phone: newPhone(), plate: newPlate() })
    extra = await memberCodes(origin, { name: '顾南枝', phone: newPhone(), plate: newPlate() })
    await desk.post('/topups', { storeId: desk.storeId, memberId: extra.memberId, amountFen: 8_000, tender: 'cash' })
    seat = await desktop(browser)
    page = seat.page
    seat.allow(/status of 401/) // nobody is signed in yet
    await consoleLogin(page, origin, 'boss')
  })
  after(() => browser?.close())

  const coupons = async (of, name) => (await of.get('/coupons?state=available')).items.filter((one) => one.offer.name === name).length
  const given = async (memberId) => (await boss.get(`/coupons?memberId=${memberId}`)).items.filter((one) => one.offer.name === GIFT).length

  step('the list says who stays away; a call ends with a coupon in their wallet', async () => {
    task = (await boss.get('/outreach/tasks?kind=missed&state=open')).items.find((one) => one.mayCall)
    const had = await given(task.memberId)
    await open(page, origin, '/outreach')
    const row = page.locator('tr').filter({ hasText: task.phone }).first()
    await row.waitFor()
    await look(page, 'console-outreach')
    await row.getByRole('button', { name: '打电话' }).click()
    await dialog(page).locator('a[href^="tel:"]').waitFor()
    await dialog(page).getByText('会来', { exact: true }).click()
    await dialog(page).locator('.el-select').click()
    await page.locator('.el-select-dropdown:visible').getByText(GIFT).click()
    await dialog(page).locator('textarea').fill(NOTE)
    await look(page, 'console-outreach-result')
    await dialog(page).getByRole('button', { name: '记下并送券' }).click()
    await page.getByText('已记下，券已放进会员卡包').waitFor()
    await row.waitFor({ state: 'detached' })
    assert.equal(await given(task.memberId), had + 1)
    seat.clean()
  })

  step('what came of it stands under the others', async () => {
    await page.getByText('已处理', { exact: true }).click()
    const row = page.locator('tr').filter({ hasText: NOTE })
    await row.getByText(`送 ${GIFT}`).waitFor()
    await settled(page)
    await look(page, 'console-outreach-handled')
    for (const tab of ['本月生日', '群发短信', '节日问候', '规则']) {
      await page.getByRole('tab', { name: tab }).click()
      await settled(page)
      await look(page, `console-outreach-${tab}`)
    }
    seat.clean()
  })

  step('it rains: the switch says what it brings, and who was washed has a voucher', async () => {
    assert.equal(await coupons(washed, VOUCHER), 0)
    await open(page, origin, '/rain')
    await page.locator('.day.rain').first().waitFor() // the demo's rain of yesterday
    await page.getByRole('button', { name: '登记下雨' }).click()
    await dialog(page).locator('.brings').waitFor()
    assert.ok(Number(await dialog(page).locator('.brings strong').first().innerText()) >= 1)
    await dialog(page).locator('input[placeholder^="选填"]').fill('雷阵雨')
    await look(page, 'console-rain-ask')
    await dialog(page).getByRole('button', { name: '登记下雨' }).click()
    await page.getByText('已登记，马上开始发放').waitFor()
    await page.locator('.day.today.rain').waitFor()
    await until(async () => (await coupons(washed, VOUCHER)) === 1, 'the voucher')
    await page.reload()
    await page.locator('.detail').getByText(/补洗券 \d+ 张/).waitFor()
    await settled(page)
    await look(page, 'console-rain')
    seat.clean()
  })

  step('reminders: one is given another day and switched off and on', async () => {
    const rule = async () => (await boss.get('/reminders')).items.find((one) => one.event === 'insurance_due')
    await open(page, origin, '/reminders')
    const row = page.locator('tr').filter({ hasText: '保险到期' })
    await row.waitFor()
    await settled(page)
    await look(page, 'console-reminders')
    const days = (await rule()).terms.days[0]
    await row.getByLabel('保险到期第一次提前几天').fill(String(days + 5))
    await row.getByLabel('保险到期第一次提前几天').press('Tab')
    await row.getByRole('button', { name: '保存' }).click()
    await until(async () => (await rule()).terms.days[0] === days + 5, 'the days are kept')
    await row.locator('.el-switch').click()
    await until(async () => !(await rule()).on, 'it is off')
    await row.locator('.el-switch:not(.is-disabled)').click()
    await until(async () => (await rule()).on, 'it is on')
    assert.equal((await rule()).terms.days[0], days + 5)
    await page.getByRole('tab', { name: '年检周期' }).click()
    await page.locator('.kind').first().waitFor()
    await look(page, 'console-reminders-inspections')
    seat.clean()
  })

  step('two members who are one: side by side, what goes over, and the number of the card that ends', async () => {
    await open(page, origin, `/members/${keep.memberId}`)
    await page.getByRole('button', { name: '更多操作' }).click()
    await page.getByText('合并会员', { exact: true }).click()
    await dialog(page).getByRole('combobox').fill(extra.persona.phone)
    await page.locator('.el-select-dropdown:visible .el-select-dropdown__item').first().click()
    await dialog(page).locator('.compare').waitFor()
    await dialog(page).getByText('同一位顾客办了两张卡').click()
    const label = dialog(page).getByText(/^输入要停用的卡号/)
    await label.waitFor()
    const number = (await label.innerText()).replace(/\D/g, '')
    assert.equal(number.length, 12)
    await look(page, 'console-merge')
    assert.ok(await dialog(page).getByRole('button', { name: '确认合并' }).isDisabled())
    await dialog(page).locator('input.el-input__inner').last().fill(number)
    await dialog(page).getByRole('button', { name: '确认合并' }).click()
    await page.getByText('已合并，会通知到两边').waitFor()
    await page.getByText('合并自').waitFor()
    await settled(page)
    await look(page, 'console-merged')
    const now = await boss.get(`/members/${keep.memberId}`)
    assert.equal(now.wallet.principalFen, 8_000)
    assert.deepEqual(now.vehicles.map((one) => one.plate).sort(), [keep.plate, extra.plate].sort())
    seat.clean()
  })

  step('who was merged says where they went', async () => {
    await open(page, origin, `/members/${extra.memberId}`)
    await page.getByText('已并入').first().waitFor()
    await settled(page)
    await look(page, 'console-merged-away')
    seat.clean()
  })

  step('on the phone at the counter: the same list, with what came of it', async () => {
    counter = await phone(browser)
    mobile = counter.page
    current = () => mobile
    await mobile.goto(`${origin}/h5/#/pkg-staff/login/index`)
    await fillRow(mobile, '用户名', 'manager')
    await fillRow(mobile, '密码', PASSWORD)
    await mobile.locator('uni-button').getByText('登录', { exact: true }).click()
    await tapText(mobile, '静安店') // of several stores
    await onPage(mobile, '.search input').waitFor()
    await button(mobile, '客户维系').click()
    await onPage(mobile, '.states').waitFor()
    await tapText(mobile, '已处理')
    const card = onPage(mobile, '.card').filter({ hasText: NOTE })
    await card.getByText(`送 ${GIFT}`).waitFor()
    await look(mobile, 'staff-outreach-handled')
    await tapText(mobile, '本月生日')
    await onPage(mobile, '.card, .state-block').first().waitFor()
    await look(mobile, 'staff-outreach-birthdays')
    counter.clean()
  })

  step('a member whom no message reaches is ticked off', async () => {
    const [call] = (await desk.get('/calls?state=open&limit=1')).items
    await mobile.goto(`${origin}/h5/#/pkg-staff/lists/calls`)
    const card = onPage(mobile, '.card').filter({ hasText: call.phone }).filter({ hasText: call.eventTitle }).first()
    await card.waitFor()
    await look(mobile, 'staff-calls')
    await card.locator('uni-button').filter({ hasText: '已处理' }).click()
    await mobile.locator('textarea:visible').fill('已经电话告知')
    await look(mobile, 'staff-call-ends')
    await button(mobile, '已告知').click()
    await until(async () => (await desk.get('/calls?state=done&limit=20')).items.some((one) => one.id === call.id && one.note === '已经电话告知'), 'the call is ticked off')
    await tapText(mobile, '已联系')
    await onPage(mobile, '.card').filter({ hasText: '已经电话告知' }).waitFor()
    await look(mobile, 'staff-calls-done')
    counter.clean()
  })

  step('the rain was a mistake: taken back on the phone, with the vouchers', async () => {
    await mobile.goto(`${origin}/h5/#/pkg-staff/lists/rain`)
    const today = onPage(mobile, '.card .row').first()
    await today.getByText('下雨').waitFor()
    await look(mobile, 'staff-rain')
    await today.locator('uni-button').filter({ hasText: '撤销' }).click()
    await mobile.locator('.uni-modal').getByText('撤销', { exact: true }).click()
    await mobile.getByText('已撤销').waitFor()
    await today.locator('uni-button').filter({ hasText: '登记下雨' }).waitFor()
    assert.equal(await coupons(washed, VOUCHER), 0)
    await look(mobile, 'staff-rain-undone')
    counter.clean()
  })

  async function until(holds, what) {
    for (let i = 0; i < 60; i++) {
      if (await holds()) return
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    assert.fail(`not in time: ${what}`)
  }
})
