// What each role sees, and every page of the console at 1280 px.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { consoleApi } from '../lib/api.mjs'
import { launch, look, story } from '../lib/browser.mjs'
import { consoleLogin, desktop, open, settled } from '../lib/console.mjs'

const origin = process.env.E2E_ORIGIN
const menu = async (page) => (await page.locator('.side .item').allInnerTexts()).map((text) => text.trim())

describe('console by role', () => {
  let browser, seat, page
  const menus = {}
  const step = story(test, () => page)

  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  async function sit(username) {
    await seat?.context.close()
    seat = await desktop(browser, 1280, 800)
    page = seat.page
    seat.allow(/status of 401/) // nobody is signed in yet
    await consoleLogin(page, origin, username)
    await settled(page)
    menus[username] = await menu(page)
  }

  step('the owner sees everything, and every page fits 1280 px', async () => {
    await sit('boss')
    assert.ok(menus.boss.includes('设置') && menus.boss.includes('角色权限'))
    const paths = await page.locator('.side .item').evaluateAll((items) => items.map((item) => item.getAttribute('href').slice(1)))
    const api = await consoleApi(origin, 'boss')
    const first = async (list) => (await api.get(`${list}?limit=1`)).items[0].id
    const details = [`/members/${await first('/members')}`, `/orders/${await first('/orders')}`, `/payments/${await first('/payments')}`]
    for (const path of [...paths, ...details]) {
      await open(page, origin, path)
      await page.waitForTimeout(150)
      await look(page, `console-1280${path.replace(/\d+/, 'detail').replaceAll('/', '-')}`)
    }
    seat.clean()
  })

  step('every tab of the catalogue fits 1280 px', async () => {
    await open(page, origin, '/catalog')
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click()
      await settled(page)
      await look(page, `console-1280-catalog-${await tab.innerText()}`)
    }
    seat.clean()
  })

  step('the owner changes what a role may do', async () => {
    await open(page, origin, '/roles')
    assert.ok((await page.locator('.matrix input[type=checkbox]').count()) > 50)
    const one = page.locator('label[aria-label^="技师："]').nth(3)
    await one.click()
    await page.getByRole('button', { name: /保存/ }).waitFor()
    await look(page, 'console-1280-roles-changed')
    await page.getByRole('button', { name: '放弃修改' }).click()
    seat.clean()
  })

  step('the accountant sees less', async () => {
    await sit('finance')
    await look(page, 'console-finance')
    assert.ok(menus.finance.length < menus.boss.length)
    for (const hidden of ['设置', '员工', '角色权限']) assert.ok(!menus.finance.includes(hidden), hidden)
    for (const shown of ['今日', '支付', '审计日志']) assert.ok(menus.finance.includes(shown), shown)
    seat.clean()
  })

  step('the receptionist cannot open the settings, and is told whom to ask', async () => {
    await sit('desk')
    assert.ok(!menus.desk.includes('设置'))
    await page.goto(`${origin}/console/#/settings`)
    await page.getByText('你的角色还不能看这里').waitFor()
    await look(page, 'console-no-access')
    await page.getByRole('button', { name: '回到首页' }).click()
    await page.locator('#content h1').first().waitFor()
    seat.clean()
  })

  step('a session that was ended elsewhere leads to the login page', async () => {
    await seat.context.clearCookies()
    await page.goto(`${origin}/console/#/orders`)
    await page.reload()
    await page.locator('input[name=username]').waitFor()
    assert.match(page.url(), /login/)
    seat.clean()
  })
})
