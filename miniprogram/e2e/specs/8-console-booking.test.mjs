// The booking board and its set-up in the web console: a shop begins to take bookings, and moves them by hand.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { consoleApi, newPhone, newPlate } from '../lib/api.mjs'
import { launch, look, story } from '../lib/browser.mjs'
import { consoleLogin, desktop, dialog, exported, open, settled } from '../lib/console.mjs'

const origin = process.env.E2E_ORIGIN
const DAY_MS = 86_400_000
const AHEAD = 12
const shopDay = (ms) => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(ms)

describe('console: bookings', () => {
  let browser, manager, page, till, other, api, store, technician, bays
  // Some days ahead: the clock of whoever runs this cannot be too late for it, and nobody else's story is told there.
  const day = shopDay(Date.now() + AHEAD * DAY_MS)
  const at = (clock, date = day) => new Date(`${date}T${clock}:00+08:00`).toISOString().replace('.000', '')
  const stamp = String(Date.now() % 10_000).padStart(4, '0')
  const plates = { first: newPlate(), second: newPlate(), queue: newPlate() }
  const step = story(test, () => page)

  before(async () => {
    browser = await launch()
    api = await consoleApi(origin)
    store = (await api.get('/me')).stores[0]
    manager = await desktop(browser)
    page = manager.page
    manager.allow(/status of 401/) // nobody is signed in yet
    await consoleLogin(page, origin, 'manager')
    await page.evaluate((id) => localStorage.setItem('liangche.console.store', String(id)), store.id)
    await page.reload()
    await page.locator('#content h1').first().waitFor()
    // A second screen in a window of its own: the till beside the office.
    till = await desktop(browser)
    other = till.page
    till.allow(/status of 401/)
    await consoleLogin(other, origin, 'desk')
  })
  after(() => browser?.close())

  const board = () => api.get(`/board?storeId=${store.id}&day=${day}`)
  const booking = async (plate) => (await board()).bookings.find((one) => one.plate === plate)
  const card = (plate, where = page) => where.locator(`.card-block[data-plate="${plate}"]`)
  const lane = (id, where = page) => where.locator(`.track[data-lane="${id}"]`)
  const pxPerMinute = async () => (await page.locator('.scroller').evaluate((view) => parseFloat(getComputedStyle(view).getPropertyValue('--hour')))) / 60
  const clockOf = (iso) => new Date(Date.parse(iso) + 8 * 3_600_000).toISOString().slice(11, 16)

  async function openBoard(where = page, date = day) {
    await where.goto(`${origin}/console/#/board?day=${date}`)
    await where.locator('.lane').first().waitFor()
  }

  /** Drags a booking by minutes, and onto the lane of another bay; the hand moves in several steps. */
  async function drag(plate, minutes, bayId) {
    await card(plate).scrollIntoViewIfNeeded()
    const box = await card(plate).boundingBox()
    const grab = { x: box.x + Math.min(24, box.width / 2), y: box.y + box.height / 2 }
    const row = bayId ? await lane(bayId).boundingBox() : null
    const target = { x: grab.x + minutes * (await pxPerMinute()), y: row ? row.y + row.height / 2 : grab.y }
    await page.mouse.move(grab.x, grab.y)
    await page.mouse.down()
    for (let i = 1; i <= 6; i++) await page.mouse.move(grab.x + ((target.x - grab.x) * i) / 6, grab.y + ((target.y - grab.y) * i) / 6)
    await page.mouse.up()
  }

  async function zoom(name) {
    await page.locator('.board .zoom').click()
    await page.locator('.el-select-dropdown:visible [role=option]').filter({ hasText: name }).click()
    await page.locator('.el-select-dropdown:visible').waitFor({ state: 'hidden' })
  }

  const moved = () => page.waitForResponse((answer) => answer.url().includes('/move'))

  step('sets up bays', async () => {
    await open(page, origin, '/booking-setup')
    for (const [index, name] of [`${stamp} 一号位`, `${stamp} 二号位`].entries()) {
      await page.getByRole('button', { name: '添加工位' }).first().click()
      await dialog(page).getByPlaceholder(/1 号洗车位/).fill(name)
      await dialog(page).getByText('洗车位', { exact: true }).click()
      await dialog(page).locator('.el-input-number input').fill(String(index))
      if (index === 0) await look(page, 'console-booking-bay')
      await dialog(page).getByRole('button', { name: '保存' }).click()
      await page.getByRole('cell', { name, exact: true }).waitFor()
    }
    bays = (await api.get(`/bays?storeId=${store.id}`)).items.filter((bay) => bay.name.startsWith(stamp))
    assert.deepEqual(bays.map((bay) => bay.kind), ['wash', 'wash'])
    await look(page, 'console-booking-bays')
    manager.clean()
  })

  step('changes the opening hours; what cannot be read is not saved', async () => {
    const usual = Array.from({ length: 7 }, (_, weekday) => ({ weekday, opens: 540, closes: 1260 }))
    await api.put(`/stores/${store.id}/hours`, { spans: usual })
    await open(page, origin, '/booking-setup?tab=hours')
    const monday = page.locator('#hours-1')
    await monday.waitFor()
    const before = await monday.inputValue()
    await monday.fill('9点到5点')
    await page.getByText('写成 9:00–21:00').waitFor()
    assert.ok(await page.getByRole('button', { name: '保存营业时间' }).isDisabled())
    await monday.fill('8:30-12:00, 13:00-22:00')
    await look(page, 'console-booking-hours')
    await page.getByRole('button', { name: '保存营业时间' }).click()
    // Read back from the server, it says it in its own way.
    await page.waitForFunction(() => document.querySelector('#hours-1').value === '8:30–12:00，13:00–22:00')
    const { spans } = await api.get(`/stores/${store.id}/hours`)
    assert.deepEqual(spans.filter((span) => span.weekday === 1).map((span) => [span.opens, span.closes]), [[510, 720], [780, 1320]])
    await monday.fill(before)
    await page.getByRole('button', { name: '保存营业时间' }).click()
    await page.waitForFunction((text) => document.querySelector('#hours-1').value === text, before)
    manager.clean()
  })

  step('imports the public holidays, and closes a day', async () => {
    await open(page, origin, '/booking-setup?tab=days')
    await page.locator('.month .cell').first().waitFor()
    await page.getByRole('button', { name: '导入节假日' }).click()
    await dialog(page).getByText('2027 年', { exact: true }).click()
    await dialog(page).getByRole('button', { name: '导入' }).click()
    await dialog(page).getByText(/添加了 \d+ 天/).waitFor()
    await look(page, 'console-booking-import')
    await dialog(page).getByRole('button', { name: '好的' }).click()
    const far = shopDay(Date.now() + 25 * DAY_MS)
    while (!(await page.locator('.tools strong').innerText()).includes(`${Number(far.slice(5, 7))}月`)) await page.getByRole('button', { name: '下个月' }).click()
    await settled(page)
    await page.locator('.month .cell:not(.other)').nth(Number(far.slice(8)) - 1).click()
    await dialog(page).getByText('休息', { exact: true }).click()
    await dialog(page).getByPlaceholder(/店庆/).fill('设备保养')
    await dialog(page).getByRole('button', { name: '保存' }).click()
    await page.locator('.month .cell.closed').filter({ hasText: '设备保养' }).waitFor()
    await look(page, 'console-booking-days')
    manager.clean()
  })

  step('says what a technician can do', async () => {
    await open(page, origin, '/roster?tab=skills')
    const people = (await api.get(`/technicians?storeId=${store.id}`)).items
    technician = people.find((one) => one.name.includes('技师')) ?? people[0]
    const row = page.locator('tr').filter({ hasText: technician.name })
    await row.getByRole('button', { name: '修改' }).click()
    if (!technician.bookable) await dialog(page).getByText('可以安排预约').click()
    await dialog(page).getByRole('radiogroup', { name: '洗车' }).getByText('3', { exact: true }).click()
    await look(page, 'console-booking-skill')
    await dialog(page).getByRole('button', { name: '保存' }).click()
    await row.getByLabel('洗车 3 级').waitFor() // it had another level before
    await look(page, 'console-booking-skills')
    manager.clean()
  })

  step('plans a shift by a click, and copies the week to the next one', async () => {
    await page.getByRole('tab', { name: '一周班表' }).click()
    await page.locator('.week tbody tr').first().waitFor()
    const mondayFirst = (date) => (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7
    const weekday = mondayFirst(day)
    for (let week = Math.floor((mondayFirst(shopDay(Date.now())) + AHEAD) / 7); week > 0; week--) {
      await page.getByRole('button', { name: '下一周' }).click()
      await page.locator('.scroll:not(.stale) .week tbody tr').first().waitFor()
    }
    const cell = () => page.locator('tr').filter({ hasText: technician.name }).locator('td').nth(weekday)
    await cell().click()
    await dialog(page).getByText('全天 9–18').click()
    await look(page, 'console-booking-shift')
    await dialog(page).getByRole('button', { name: '保存' }).click()
    await cell().getByText('9:00–18:00').waitFor()
    await look(page, 'console-booking-week')
    const empty = page.getByText('这一周还没有排班')
    for (let week = 0; week < 6 && !(await empty.count()); week++) {
      await page.getByRole('button', { name: '下一周' }).click()
      await page.locator('.scroll:not(.stale) .week tbody tr').first().waitFor()
      await page.waitForTimeout(300) // the week that is being read takes the place of the one before
    }
    await empty.waitFor()
    await page.getByRole('button', { name: '抄上周的班' }).click()
    await dialog(page).getByRole('button', { name: '抄过来' }).click()
    await page.getByText(/抄了 \d+ 个班次/).waitFor()
    await page.locator('.week .shift').first().waitFor()
    manager.clean()
  })

  step('a caller books: services, the free times of the shop, confirmed at once', async () => {
    await openBoard()
    await page.getByRole('button', { name: '新预约' }).click()
    await dialog(page).getByRole('textbox', { name: /电话/ }).fill(newPhone())
    await dialog(page).getByPlaceholder('如 沪A12345').fill(plates.first)
    await dialog(page).locator('.two .el-select').first().click()
    await page.locator('.el-select-dropdown:visible [role=option]').first().click()
    await dialog(page).locator('.service').filter({ hasText: '标准洗车' }).click()
    await dialog(page).locator('.person').click()
    await page.locator('.el-select-dropdown:visible [role=option]').filter({ hasText: technician.name }).click()
    await settled(page)
    await dialog(page).getByRole('radio', { name: '10:00', exact: true }).click()
    await look(page, 'console-booking-new')
    await dialog(page).locator('footer').getByRole('button', { name: /登记/ }).click()
    await card(plates.first).waitFor()
    const made = await booking(plates.first)
    // The shop may have other bays: this story goes on in its own.
    if (made.segments[0].bayId !== bays[0].id) await api.post(`/bookings/${made.id}/move`, { version: made.version, segmentNo: 1, bayId: bays[0].id })
    await lane(bays[0].id).locator(`[data-plate="${plates.first}"]`).waitFor()
    assert.equal(made.state, 'confirmed')
    assert.equal(clockOf(made.startsAt), '10:00')
    assert.ok(made.explain, 'it says why this bay and this technician')
    await look(page, 'console-board')
    manager.clean()
  })

  // How long that takes is `make bench`'s to say; while the screen is live it does not poll, so only the stream can bring it.
  step('drags it to another bay; a second screen shows it by itself', async () => {
    await openBoard(other)
    await other.locator('.live.live').waitFor()
    const before = (await booking(plates.first)).segments[0]
    const target = bays.find((bay) => bay.id !== before.bayId)
    const answered = moved()
    await drag(plates.first, 60, target.id)
    assert.equal((await answered).status(), 200)
    await lane(target.id, other).locator(`[data-plate="${plates.first}"]`).waitFor()
    await other.locator('.live.live').waitFor()
    const now = await booking(plates.first)
    assert.equal(now.segments[0].bayId, target.id)
    assert.equal(clockOf(now.startsAt), '11:00')
    await page.getByRole('status').filter({ hasText: '已调整' }).waitFor()
    await look(page, 'console-board-moved')
    manager.clean()
  })

  step('takes it back with Ctrl Z, on every screen', async () => {
    const was = (await booking(plates.first)).segments[0].bayId
    const answered = moved()
    await page.locator('.board .title').click()
    await page.keyboard.press('Control+z')
    assert.equal((await answered).status(), 200)
    const home = bays.find((bay) => bay.id !== was)
    await lane(home.id, other).locator(`[data-plate="${plates.first}"]`).waitFor()
    assert.equal(clockOf((await booking(plates.first)).startsAt), '10:00')
    manager.clean()
  })

  step('an occupied place is refused in words, and the booking springs back', async () => {
    const first = await booking(plates.first)
    const target = bays.find((bay) => bay.id !== first.segments[0].bayId)
    const service = (await api.get('/services')).items.find((one) => one.name === '标准洗车')
    await api.post('/bookings', {
      storeId: store.id, kind: 'visit', channel: 'desk', contactName: '周先生', contactPhone: newPhone(), plate: plates.second,
      vehicleClassId: service.prices[0].vehicleClassId, serviceIds: [service.id], startsAt: at('14:00'), bayId: target.id, technicianId: technician.staffId,
    })
    await card(plates.second).waitFor()
    manager.allow(/status of 409/)
    await drag(plates.first, 245, target.id)
    await dialog(page).getByText('放不到这里').waitFor()
    await look(page, 'console-board-refused')
    assert.equal(await dialog(page).getByRole('button', { name: '强制放过去' }).count(), 0)
    await dialog(page).getByRole('button', { name: '知道了' }).click()
    await lane(first.segments[0].bayId).locator(`[data-plate="${plates.first}"]`).waitFor()
    assert.equal(clockOf((await booking(plates.first)).startsAt), '10:00')
    manager.clean()
  })

  step('a rule of the shop can be overruled with a reason', async () => {
    const home = (await booking(plates.first)).segments[0].bayId
    // After the shift is over, still within the hours; with the whole day in view, nothing scrolls under the hand.
    await zoom('整天')
    await drag(plates.first, 8.5 * 60)
    await dialog(page).getByText('放不到这里').waitFor()
    await dialog(page).getByText('加班做完').click()
    await look(page, 'console-board-force')
    await dialog(page).getByRole('button', { name: '强制放过去' }).click()
    await dialog(page).waitFor({ state: 'hidden' })
    const now = await booking(plates.first)
    assert.equal(clockOf(now.startsAt), '18:30')
    assert.equal(now.segments[0].bayId, home)
    const { events } = await api.get(`/bookings/${now.id}`)
    assert.ok(events.some((event) => event.text.includes('加班做完')), 'the reason is in the log')
    await page.getByRole('button', { name: '撤销' }).first().click()
    await page.getByText('已放回原处').last().waitFor()
    await zoom('标准')
    assert.equal(clockOf((await booking(plates.first)).startsAt), '10:00')
    manager.clean()
  })

  step('the end is dragged, and arrows move it without a mouse', async () => {
    await openBoard()
    await card(plates.first).waitFor()
    const before = await booking(plates.first)
    await card(plates.first).scrollIntoViewIfNeeded()
    const box = await card(plates.first).boundingBox()
    const end = { x: box.x + box.width - 3, y: box.y + box.height / 2 }
    let answered = moved()
    await page.mouse.move(end.x, end.y)
    await page.mouse.down()
    for (let i = 1; i <= 4; i++) await page.mouse.move(end.x + (15 * (await pxPerMinute()) * i) / 4, end.y)
    await page.mouse.up()
    assert.equal((await answered).status(), 200)
    const longer = await booking(plates.first)
    assert.equal(Date.parse(longer.endsAt) - Date.parse(before.endsAt), 15 * 60_000)
    await page.waitForFunction(() => !document.querySelector('.ghost'))
    answered = moved()
    await card(plates.first).focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await look(page, 'console-board-keys')
    assert.equal((await answered).status(), 200)
    assert.equal(clockOf((await booking(plates.first)).startsAt), '10:30')
    await page.waitForFunction(() => document.activeElement?.classList.contains('card-block'))
    await page.keyboard.press('Enter')
    await page.locator('.panel h2').filter({ hasText: plates.first }).waitFor()
    await page.locator('.panel .events li').first().waitFor()
    await look(page, 'console-board-panel')
    await page.keyboard.press('Escape')
    await page.locator('.panel').waitFor({ state: 'hidden' })
    manager.clean()
  })

  step('closes a bay by drawing on it; bookings in the way are named first', async () => {
    const home = (await booking(plates.first)).segments[0].bayId
    const free = bays.find((bay) => bay.id !== home)
    const size = await pxPerMinute()
    const row = await lane(free.id).boundingBox()
    const x = (await card(plates.first).boundingBox()).x + 2
    const y = row.y + row.height / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    for (let i = 1; i <= 4; i++) await page.mouse.move(x + (57 * size * i) / 4, y)
    await page.mouse.up()
    await page.locator('.menu[role=menu]').waitFor()
    await look(page, 'console-board-drawn')
    await page.getByRole('menuitem', { name: '停用这段时间' }).click()
    await dialog(page).getByText('设备检修').click()
    await dialog(page).getByRole('button', { name: '停用', exact: true }).click()
    await lane(free.id).locator('.blocked').filter({ hasText: '设备检修' }).waitFor()
    await lane(free.id, other).locator('.blocked').waitFor()
    till.clean()
    const [block] = (await board()).blocks
    assert.deepEqual([block.resourceId, clockOf(block.from), clockOf(block.to)], [free.id, '10:30', '11:30'])

    manager.allow(/status of 409/)
    await page.getByRole('button', { name: '更多' }).click()
    await page.getByRole('menuitem', { name: '停用工位或请假' }).click()
    await dialog(page).locator('.el-form-item').filter({ hasText: '工位' }).locator('.el-select').click()
    await page.locator('.el-select-dropdown:visible [role=option]').filter({ hasText: bays.find((bay) => bay.id === home).name }).click()
    await dialog(page).getByText('打扫').click()
    await dialog(page).getByRole('button', { name: '停用', exact: true }).click()
    await dialog(page).getByRole('alert').filter({ hasText: plates.first }).waitFor()
    await look(page, 'console-board-in-the-way')
    await dialog(page).getByRole('button', { name: '仍然停用' }).click()
    await dialog(page).waitFor({ state: 'hidden' })
    await page.locator('.trouble').filter({ hasText: plates.first }).waitFor()
    await look(page, 'console-board-trouble')
    const suggested = page.locator('.trouble li').filter({ hasText: plates.first }).getByRole('button', { name: '按建议调整' })
    if (await suggested.count()) {
      await suggested.click()
      await page.waitForFunction((plate) => ![...document.querySelectorAll('.trouble li')].some((one) => one.textContent.includes(plate)), plates.first)
    }
    await lane(free.id).locator('.blocked').first().click()
    await dialog(page).getByRole('button', { name: '恢复使用' }).click()
    await lane(free.id).locator('.blocked').first().waitFor({ state: 'hidden' })
    manager.clean()
  })

  step('sees the week, opens a day of it, and rules by technician', async () => {
    await page.locator('.tools').getByText('周', { exact: true }).click()
    await page.locator('.week thead .day').nth(6).waitFor()
    assert.equal(await page.locator('.week thead .day').count(), 7)
    await look(page, 'console-board-week')
    const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7
    await page.locator('.week thead .day').nth(weekday).click()
    await card(plates.first).waitFor()
    await page.locator('.tools').getByText('技师', { exact: true }).click()
    await lane(technician.staffId).locator(`[data-plate="${plates.first}"]`).waitFor()
    await look(page, 'console-board-technicians')
    await page.locator('.tools').getByText('工位', { exact: true }).click()
    manager.clean()
  })

  step('finds it in the list, and takes the list along', async () => {
    await open(page, origin, `/bookings?text=${encodeURIComponent(plates.first)}`)
    const row = page.locator('tbody tr').filter({ hasText: plates.first })
    await row.waitFor()
    await look(page, 'console-bookings')
    const csv = await exported(page, 'CSV 文本')
    assert.match(csv.bytes.toString(), new RegExp(plates.first))
    await row.click()
    await page.locator('.panel h2').filter({ hasText: plates.first }).waitFor()
    await look(page, 'console-booking-detail')
    await page.getByRole('button', { name: '取消', exact: true }).click()
    await dialog(page).locator('textarea').fill('车主来电取消')
    await dialog(page).locator('footer').getByRole('button', { name: '取消预约' }).click()
    await page.locator('.panel h2').filter({ hasText: '已取消' }).waitFor()
    assert.equal((await api.get(`/bookings?text=${encodeURIComponent(plates.first)}`)).items[0].state, 'cancelled')
    manager.clean()
  })

  step('prints the day across a sheet', async () => {
    const paper = await manager.context.newPage()
    await paper.addInitScript(() => (window.print = () => (window.printed = true)))
    await paper.goto(`${origin}/console/#/print/board?storeId=${store.id}&day=${day}&by=bay`)
    await paper.waitForFunction(() => window.printed)
    assert.match(await paper.locator('.sheet').innerText(), new RegExp(plates.second))
    await paper.emulateMedia({ media: 'print' })
    await look(paper, 'console-board-print')
    await paper.close()
    manager.clean()
  })

  step('at 1280 px everything fits, and a role without the right cannot move anything', async () => {
    await page.setViewportSize({ width: 1280, height: 800 })
    await openBoard()
    await card(plates.second).waitFor()
    await look(page, 'console-1280-board')
    const tech = await desktop(browser, 1280, 800)
    tech.allow(/status of 401/)
    await consoleLogin(tech.page, origin, 'tech')
    await openBoard(tech.page)
    await card(plates.second, tech.page).waitFor()
    assert.equal(await tech.page.locator('.card-block.movable').count(), 0)
    assert.equal(await tech.page.getByRole('button', { name: '新预约' }).count(), 0)
    await look(tech.page, 'console-1280-board-technician')
    tech.clean()
    await tech.context.close()
    manager.clean()
  })
})
