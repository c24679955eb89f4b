// A manager's day in the web console at 1440 px.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { launch, look, story } from '../lib/browser.mjs'
import { BOM, consoleLogin, desktop, dialog, exported, giveReason, open, settled } from '../lib/console.mjs'
import { scene } from '../lib/scene.mjs'

const origin = process.env.E2E_ORIGIN

describe('console', () => {
  let browser, manager, page, told
  const step = story(test, () => page)

  before(async () => {
    browser = await launch()
    told = await scene(origin)
    manager = await desktop(browser)
    page = manager.page
  })
  after(() => browser?.close())

  step('signs in; a wrong password is refused in words', async () => {
    manager.allow(/status of 401/) // nobody is signed in yet, and then with a wrong password
    await page.goto(`${origin}/console/`)
    await page.locator('input[name=username]').fill('manager')
    await page.locator('input[name=password]').fill('wrong-password')
    await look(page, 'console-login')
    await page.getByRole('button', { name: '登录' }).click()
    await page.getByRole('alert').first().waitFor()
    await consoleLogin(page, origin, 'manager')
    manager.clean()
  })

  step('sees today: figures and drawn charts', async () => {
    await page.locator('.charts svg').nth(1).waitFor()
    await settled(page)
    for (const chart of await page.locator('.charts .chart').all()) assert.ok((await chart.locator('svg path').count()) > 5, 'a chart is drawn')
    assert.match(await page.locator('#content').innerText(), /收到的钱[\s\S]*结算[\s\S]*充值[\s\S]*预收余额/)
    await page.getByText(/个争议等你处理/).waitFor()
    await look(page, 'console-dashboard')
    manager.clean()
  })

  step('finds the member by quick search with the keyboard alone', async () => {
    await page.keyboard.press('Control+k')
    await page.locator('.quick-search input').waitFor()
    await page.waitForTimeout(100)
    await page.keyboard.type(told.plate.slice(1), { delay: 10 })
    await page.locator('.hits [role=option]').filter({ hasText: '会员' }).first().waitFor()
    await look(page, 'console-quick-search')
    await page.keyboard.press('Enter')
    await page.waitForURL(new RegExp(`#/members/${told.memberId}$`))
    await settled(page)
    await look(page, 'console-member')
    manager.clean()
  })

  step('reads the whole ledger', async () => {
    await page.getByRole('tab', { name: '流水' }).click()
    await page.locator('.el-tab-pane:visible tbody tr').nth(3).waitFor()
    const text = await page.locator('.el-tab-pane:visible').innerText()
    assert.match(text, /本金[\s\S]*500\.00/)
    assert.match(text, /赠送[\s\S]*80\.00/)
    await look(page, 'console-ledger')
    for (const tab of ['概览', '车辆', '微信身份', '订单']) {
      await page.getByRole('tab', { name: tab }).click()
      await settled(page)
      await look(page, `console-member-${tab}`)
    }
    manager.clean()
  })

  step('shows the full phone number once a reason is given', async () => {
    await page.getByText('查看完整').click()
    await giveReason(page, '核对预约电话', '查看')
    await page.locator('.phone').filter({ hasText: /139\d{8}/ }).waitFor()
    manager.clean()
  })

  step('freezes the card, thaws it, and issues a new one', async () => {
    await page.getByRole('tab', { name: '卡片' }).click()
    const pane = page.locator('.el-tab-pane:visible')
    await pane.getByRole('button', { name: '冻结' }).click()
    await look(page, 'console-freeze')
    await giveReason(page, '车主要求暂停使用', '冻结')
    await pane.getByText('已冻结').waitFor()
    await pane.getByRole('button', { name: '解冻' }).click()
    await giveReason(page, '车主要求恢复', '解冻')
    await pane.getByText('正常').waitFor()
    await pane.getByRole('button', { name: '补办' }).click()
    await giveReason(page, '卡片损坏', '补办')
    await pane.getByText('已换卡').waitFor()
    await look(page, 'console-cards')
    manager.clean()
  })

  step('refunds a part: the plan explains itself, the button says the amount', async () => {
    await page.getByRole('button', { name: '退款', exact: true }).click()
    const amount = dialog(page).getByLabel('退款金额')
    await amount.waitFor()
    await amount.fill('200')
    await dialog(page).getByPlaceholder(/车主/).fill('车主搬家')
    const go = dialog(page).locator('footer').getByRole('button', { name: /200/ })
    await page.waitForFunction((el) => el && !el.disabled, await go.elementHandle())
    await look(page, 'console-refund')
    assert.ok((await dialog(page).locator('.explain li').count()) > 0)
    await go.click()
    await dialog(page).waitFor({ state: 'hidden' })
    await page.getByText(/已退款/).first().waitFor()
    await open(page, origin, '/refunds')
    await page.locator('tbody tr').filter({ hasText: '200.00' }).first().waitFor()
    await look(page, 'console-refunds')
    manager.clean()
  })

  step('answers the dispute', async () => {
    await open(page, origin, '/disputes')
    await look(page, 'console-disputes')
    await page.locator('tbody tr').filter({ hasText: told.plate.slice(-4) }).first().click()
    await dialog(page).getByText('轮毂没有擦').waitFor()
    await dialog(page).getByText('维持原单').click()
    await dialog(page).locator('textarea').fill('监控里轮毂已经擦过，欢迎到店查看')
    await look(page, 'console-dispute')
    await dialog(page).getByRole('button', { name: '答复车主' }).click()
    await dialog(page).waitFor({ state: 'hidden' })
    const seen = await told.member.get(`/orders/${told.order.orderId}`)
    assert.equal(seen.dispute.status, 'rejected')
    assert.match(seen.dispute.answer, /监控/)
    manager.clean()
  })

  step('opens the order, prints it, and reverses the other one', async () => {
    await open(page, origin, `/orders/${told.toReverse.orderId}`)
    await look(page, 'console-order')
    await page.getByRole('button', { name: /撤销/ }).click()
    await look(page, 'console-reverse')
    await giveReason(page, '选错了服务', /撤销/)
    await page.getByText('已撤销').first().waitFor()
    for (const paper of ['58', 'a4']) {
      await page.goto(`${origin}/console/#/print/orders/${told.order.orderId}?paper=${paper}`)
      await page.locator('article.sheet').waitFor()
      assert.match(await page.locator('article.sheet').innerText(), new RegExp(told.order.no))
      await look(page, `console-print-${paper}`)
    }
    manager.clean()
  })

  step('follows a payment: WeChat state, notification, history', async () => {
    await open(page, origin, '/payments')
    await look(page, 'console-payments')
    await page.locator('tbody tr').filter({ hasText: '500.00' }).first().click()
    await page.getByText('微信通知').waitFor()
    await settled(page)
    const text = await page.locator('#content').innerText()
    assert.match(text, /微信单号\s+\d{20,}/)
    assert.match(text, /微信通知[\s\S]*已/)
    await look(page, 'console-payment')
    await page.getByRole('button', { name: '现在问微信' }).click()
    await settled(page)
    manager.clean()
  })

  step('exports what it lists, as XLSX and as CSV', async () => {
    await open(page, origin, '/members')
    await look(page, 'console-members')
    const sheet = await exported(page, 'Excel')
    assert.match(sheet.name, /\.xlsx$/)
    assert.equal(sheet.bytes.subarray(0, 2).toString(), 'PK')
    const csv = await exported(page, 'CSV')
    assert.ok(csv.bytes.subarray(0, 3).equals(BOM), 'CSV begins with a BOM')
    const lines = csv.bytes.toString().trim().split('\n')
    assert.ok(lines.length > 30, `${lines.length} lines: every page, not only the one on screen`)
    assert.match(lines[0], /会员/)
    manager.clean()
  })

  step('changes a price; the till sees it', async () => {
    await open(page, origin, '/catalog')
    const row = page.locator('tbody tr').filter({ hasText: '漆面打蜡' })
    await row.getByRole('button', { name: '修改' }).click()
    const price = dialog(page).getByLabel('小型车价格')
    const old = await price.inputValue()
    await price.fill('131')
    await look(page, 'console-price')
    await dialog(page).getByRole('button', { name: '保存' }).click()
    await dialog(page).waitFor({ state: 'hidden' })
    await row.filter({ hasText: '131' }).waitFor()
    await row.getByRole('button', { name: '修改' }).click()
    await price.fill(old)
    await dialog(page).getByRole('button', { name: '保存' }).click()
    await dialog(page).waitFor({ state: 'hidden' })
    manager.clean()
  })

  step('invites somebody: a code and a QR code', async () => {
    await open(page, origin, '/staff')
    await look(page, 'console-staff')
    await page.getByRole('button', { name: '邀请员工' }).click()
    await dialog(page).locator('input[maxlength="20"]').fill('新来的小丁')
    await dialog(page).getByText('前台', { exact: true }).click()
    await look(page, 'console-invite-form')
    await dialog(page).getByRole('button', { name: '生成邀请码' }).click()
    await page.locator('.invite .code').waitFor()
    await look(page, 'console-invite')
    assert.match(await page.locator('.invite .code').innerText(), /^[0-9A-Z-]{8,}$/)
    await page.keyboard.press('Escape')
    manager.clean()
  })

  step('reads roles, audit log and settings', async () => {
    for (const [path, name, expects] of [
      ['/roles', 'roles', /前台[\s\S]*财务/], ['/audit', 'audit', /孙店长/], ['/settings', 'settings', /设置/], ['/charters', 'charters', /章程/],
      ['/stores', 'stores', /静安店/], ['/topups', 'topups', /500\.00/], ['/orders', 'orders', /精致洗车/],
    ]) {
      await open(page, origin, path)
      await page.waitForFunction((source) => new RegExp(source).test(document.querySelector('#content').innerText), expects.source)
      await look(page, `console-${name}`)
    }
    manager.clean()
  })
})
