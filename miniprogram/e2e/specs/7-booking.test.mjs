// Booking from both sides: a stranger opens a shared link, joins, books with a deposit, moves, waits, is served with photos, pays and rates.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { newPhone, newPlate, sandbox, staffApi } from '../lib/api.mjs'
import { launch, look, phone, story } from '../lib/browser.mjs'
import { PASSWORD, button, cover, fillRow, logInAs, onPage, payOnSheet, provePhone, staffLogin, tapText, typePlate } from '../lib/h5.mjs'
import { memberCodes } from '../lib/member.mjs'
import { miniProgram, pack } from '../lib/runner.mjs'
import { instant, workshop } from '../lib/workshop.mjs'

const origin = process.env.E2E_ORIGIN
const weixin = sandbox(origin)
const phoneNo = newPhone()
const plate = newPlate()
const shown = `${plate.slice(0, 2)}·${plate.slice(2)}`
const nickname = `沈约${phoneNo.slice(-4)}`
const DEAR = '精致洗车'
const PLAIN = '标准洗车'
const RESCUE = '道路救援'
let shop
/** Both tills use the same workshop. */
async function prepared(desk) {
  shop ??= await workshop(origin, desk.storeId, { withDeposit: DEAR, rescue: RESCUE })
  return shop
}

describe('booking', () => {
  let browser, owner, page, staff, till, desk, persona, classId, services, technician, booked
  let current = () => page
  const step = story(test, () => current())

  before(async () => {
    browser = await launch()
    persona = await weixin.addPersona(nickname, phoneNo)
    desk = await staffApi(origin)
    technician = (await prepared(desk)).technicians.find((t) => t.name === '吴技师')
    const options = await desk.get(`/booking/options?storeId=${desk.storeId}`)
    services = Object.fromEntries(options.services.map((s) => [s.name, s]))
    classId = options.vehicleClasses.find((c) => c.name === '轿车').id
    owner = await phone(browser)
    page = owner.page
    staff = await phone(browser)
    till = staff.page
  })
  after(() => browser?.close())

  step('a shared link works for somebody without a card: join first, then back to what it named', async () => {
    owner.allow(/status of (401|403|404).*\/api\/owner\//) // not logged in, then not a member yet
    await page.goto(`${origin}/h5/#/pages/booking/index?storeId=${desk.storeId}&serviceId=${services[DEAR].id}`)
    await page.getByText('约个时间洗车').waitFor()
    await look(page, 'booking-link-guest')
    await button(page, '微信登录').click()
    await page.waitForURL(/\/sandbox\/connect\/oauth2\/authorize/)
    await logInAs(page, nickname)
    await button(page, '免费领卡，再来预约').click()
    await page.locator('.agree').click()
    await button(page, '同意并继续').click()
    await button(page, '手动输入').click()
    await provePhone(page, weixin, phoneNo)
    await fillRow(page, '称呼', '沈约')
    await tapText(page, '女士')
    await button(page, '下一步').click()
    await typePlate(page, plate)
    await page.locator('.chip').filter({ hasText: '轿车' }).click()
    await button(page, '领取会员卡').click()
    await page.getByText('会员卡到手啦').waitFor()
    await page.locator('uni-button').filter({ hasText: '继续预约' }).last().click()
    await page.locator('.service.on:visible').filter({ hasText: DEAR }).waitFor()
    await look(page, 'booking-choose')
    owner.clean()
  })

  step('books tomorrow morning: the summary says price, end, deposit and the rule; the place is held and counts down', async () => {
    await button(page, '选时间').click()
    booked = await chooseTime(page, '明天', '上午', 40)
    await look(page, 'booking-time')
    await button(page, '下一步').click()
    await page.getByText('看一下对不对').waitFor()
    await page.getByText('¥30.00，结算时抵扣').waitFor()
    await page.getByText(/开始前 4 小时以前可免费取消/).waitFor()
    await look(page, 'booking-review')
    await button(page, '提交，去付定金 ¥30.00').click()
    await onPage(page, '.clock').waitFor()
    const left = await onPage(page, '.clock').innerText()
    assert.match(left, /^0\d:\d\d$|^10:00$/)
    await look(page, 'booking-hold')
    owner.clean()
  })

  step('pays the deposit by WeChat and has the place; the calendar gets it', async () => {
    await button(page, '微信支付定金 ¥30.00').click()
    await cover(page).locator('#keys').waitFor()
    await look(page, 'booking-deposit')
    await payOnSheet(page)
    await page.getByText('预约好了').waitFor()
    await look(page, 'booking-confirmed')
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, '加到日历').click()])
    const ics = fs.readFileSync(await download.path(), 'utf8')
    assert.match(download.suggestedFilename(), /\.ics$/)
    assert.match(ics, /BEGIN:VEVENT/)
    const [local, utc] = [booked, instant(1, booked).slice(11, 16)].map((time) => time.replace(':', ''))
    assert.match(ics, new RegExp(`DTSTART[^\r\n]*T(${local}|${utc}00Z)`))
    await button(page, '看预约').click()
    await page.getByText('已约好').first().waitFor()
    await look(page, 'booking-detail')
    await page.goto(`${origin}/h5/#/pages/home/index`)
    await onPage(page, '.booking').filter({ hasText: `明天 ${booked}` }).waitFor()
    await look(page, 'booking-home')
    owner.clean()
  })

  step('while a second one is chosen the time goes to others: the nearest free ones are one tap away', async () => {
    owner.allow(/status of 409.*\/api\/owner\/bookings/)
    await onPage(page, '.action').filter({ hasText: '预约' }).click()
    await service(page, PLAIN).click()
    await button(page, '选时间').click()
    const wished = await chooseTime(page, '明天', '下午', 8)
    await button(page, '下一步').click()
    await fill(instant(1, wished))
    await button(page, '提交预约').click()
    await page.getByText('这个时间刚被约走').waitFor()
    const others = page.locator('uni-button:visible').filter({ hasText: /^明天 \d\d:\d\d–/ })
    await others.nth(2).waitFor()
    await look(page, 'booking-gone')
    const taken = (await others.first().innerText()).trim()
    await others.first().click()
    await page.getByText('预约好了').waitFor()
    await page.getByText(taken).first().waitFor()
    owner.clean()
  })

  step('cancels it without costs', async () => {
    await button(page, '看预约').click()
    await page.locator('.cancel:visible').click()
    await page.locator('.chip:visible').filter({ hasText: '时间有变化' }).click()
    await look(page, 'booking-cancel')
    await page.locator('uni-button.danger:visible').click()
    await page.getByText('已取消').first().waitFor()
    owner.clean()
  })

  step('waits for a day that is full, is offered what becomes free, and takes it', async () => {
    const blocks = []
    for (const bay of shop.bays) blocks.push(await shop.boss.post('/blocks', { storeId: desk.storeId, resourceId: bay.id, from: instant(2, '00:00'), to: instant(3, '00:00'), reason: '设备检修', force: true }))
    await page.goto(`${origin}/h5/#/pages/home/index`)
    await onPage(page, '.action').filter({ hasText: '预约' }).click()
    await service(page, PLAIN).click()
    await button(page, '选时间').click()
    await page.locator('.day:visible').nth(2).click()
    await page.getByText('约满了').waitFor()
    await look(page, 'booking-full')
    await button(page, '排候补').click()
    await page.locator('.chip:visible').filter({ hasText: '上午' }).click()
    await look(page, 'booking-wait')
    await button(page, '排候补，有空位通知我').click()
    await page.getByText('候补中').waitFor()
    await look(page, 'booking-waits')
    for (const b of blocks) await shop.boss.post(`/blocks/${b.id ?? b.block?.id}/remove`)
    const offer = page.locator('uni-button:visible').filter({ hasText: '要这个时间' })
    await offer.waitFor({ timeout: 90_000 })
    await look(page, 'booking-offer')
    await offer.click()
    await onPage(page, '.clock').waitFor()
    await button(page, '确认预约').click()
    await page.getByText('预约好了').waitFor()
    await look(page, 'booking-accepted')
    owner.clean()
  })

  step('lists what comes', async () => {
    await page.goto(`${origin}/h5/#/pages/booking/list`)
    await onPage(page, '.booking').nth(1).waitFor()
    await look(page, 'booking-list')
    owner.clean()
  })

  step('the desk sees the day, books for somebody on the phone, and moves the deposit booking to today', async () => {
    current = () => till
    await managerLogin(till)
    await till.locator('.tool').filter({ hasText: '预约' }).click()
    await showTomorrow(till)
    await till.locator('.booking:visible').filter({ hasText: shown }).first().waitFor()
    await look(till, 'staff-bookings')
    await button(till, '登记预约').click()
    await fillRow(till, '称呼', '王先生')
    await fillRow(till, '电话', newPhone())
    await typePlate(till, newPlate())
    await till.locator('.chip:visible').filter({ hasText: '轿车' }).click()
    await service(till, PLAIN).click()
    const asked = await chooseTime(till, '明天', '下午', 16)
    await look(till, 'staff-book')
    await button(till, `约 明天 ${asked}`).click()
    await till.getByText('王').first().waitFor()
    await till.goto(`${origin}/h5/#/pkg-staff/bookings/index`)
    await showTomorrow(till)
    await till.locator('.booking:visible').filter({ hasText: shown }).first().click()
    await till.getByText('已付，结算时抵扣').waitFor()
    await look(till, 'staff-booking')
    await till.locator('.chip:visible').filter({ hasText: '改时间' }).click()
    await till.locator('.day:visible').first().click()
    await till.locator('.time:visible').first().click()
    await look(till, 'staff-reschedule')
    await button(till, '改到 今天').click()
    await till.getByText(/今天 \d\d:\d\d–/).first().waitFor()
    staff.clean()
  })

  step('the car arrives, and the desk gives it to 吴技师', async () => {
    await button(till, '车到了').click()
    await till.getByText('已到店').first().waitFor()
    if (!(await till.locator('.row:visible').filter({ hasText: technician.name }).count())) {
      await till.locator('.chip:visible').filter({ hasText: '换师傅或工位' }).click()
      await till.locator('.chip:visible').filter({ hasText: technician.name }).click()
      await look(till, 'staff-assign')
      await button(till, '这样安排').click()
    }
    await till.locator('.row:visible').filter({ hasText: technician.name }).first().waitFor()
    await look(till, 'staff-arrived')
    staff.clean()
  })

  step('the technician starts, takes photos before and after, and finishes', async () => {
    const worker = await phone(browser)
    const bench = worker.page
    current = () => bench
    await staffLogin(bench, origin, 'tech')
    await bench.locator('.tool').filter({ hasText: '我的施工' }).click()
    await bench.locator('.plate.large').filter({ hasText: shown }).waitFor()
    await look(bench, 'staff-job')
    await takePhoto(bench, '拍施工前')
    await button(bench, '开始施工').click()
    await bench.getByText('施工中').first().waitFor()
    await takePhoto(bench, '拍施工后')
    await look(bench, 'staff-job-photos')
    await button(bench, '完工').click()
    await bench.locator('.uni-modal__btn_primary').click()
    await bench.locator('.plate.large').filter({ hasText: shown }).waitFor({ state: 'detached' })
    await look(bench, 'staff-job-done')
    worker.clean()
    await worker.context.close()
    current = () => till
  })

  step('the desk settles: car and services are filled in, the deposit counts', async () => {
    await till.reload()
    await button(till, '去结算').click()
    await till.getByText('结算时自动抵扣').waitFor()
    await look(till, 'staff-booking-checkout')
    await till.locator('.next:visible').getByText('报价', { exact: true }).click()
    await till.getByText('预约定金').waitFor()
    await till.locator('.pick').filter({ hasText: '现金' }).click()
    await look(till, 'staff-booking-settle')
    const due = (services[DEAR].prices.find((p) => p.vehicleClassId === classId).priceFen - 3000) / 100
    await button(till, `确认收款 ¥${due.toFixed(2)}`).click()
    await till.getByText('收款成功').waitFor()
    const text = await onPage(till, '.receipt').innerText()
    assert.match(text, /定金/)
    assert.match(text, /30\.00/)
    await look(till, 'staff-booking-receipt')
    staff.clean()
  })

  step('the owner sees the photos and rates', async () => {
    current = () => page
    await page.goto(`${origin}/h5/#/pages/booking/list`)
    await page.locator('.notice').filter({ hasText: '消费' }).waitFor()
    await page.locator('.notice .close').click() // it lies over the filters until it goes by itself
    await page.locator('.chip:visible').filter({ hasText: '以前的' }).click()
    await page.locator('.booking:visible').filter({ hasText: '已结算' }).click()
    await page.getByText('这次做得怎么样？').waitFor()
    await onPage(page, '.photo').nth(1).waitFor()
    await page.waitForFunction(() => [...document.querySelectorAll('uni-page .photo img')].filter((i) => i.naturalWidth > 0).length >= 2)
    await page.locator('.star').nth(4).click()
    await page.locator('.chip:visible').filter({ hasText: '师傅细心' }).click()
    await look(page, 'booking-rate')
    await button(page, '提交评价').click()
    await page.getByText('您的评价', { exact: true }).waitFor()
    await look(page, 'booking-rated')
    owner.clean()
  })

  step('walk-ins line up: whoever waits sees how many are ahead and how long', async () => {
    current = () => till
    await till.goto(`${origin}/h5/#/pkg-staff/queue/index`)
    for (const car of [newPlate(), newPlate(), newPlate(), newPlate(), newPlate(), newPlate()]) {
      if ((await desk.get(`/queue?storeId=${desk.storeId}`)).items.length >= 1) break
      await desk.post('/queue', { storeId: desk.storeId, plate: car, vehicleClassId: classId, serviceIds: [services[DEAR].id] })
    }
    await button(till, '登记排队').click()
    await typePlate(till, plate)
    await till.getByText('是会员的车').waitFor()
    await service(till, PLAIN).click()
    await look(till, 'staff-queue-add')
    await till.locator('.sheet uni-button:visible').filter({ hasText: '排上' }).click()
    await onPage(till, '.line').filter({ hasText: shown }).waitFor()
    await look(till, 'staff-queue')
    await page.goto(`${origin}/h5/#/pages/home/index`)
    await onPage(page, '.booking').filter({ hasText: /前面还有 \d+ 台，约 / }).waitFor()
    await look(page, 'booking-queue')
    staff.clean()
    owner.clean()
  })

  /** The desk takes what is free at one time, until nothing is. */
  async function fill(startsAt) {
    for (let n = 0; n < 12; n++) {
      const body = { storeId: desk.storeId, kind: 'visit', channel: 'phone', contactName: '客人', contactPhone: newPhone(), plate: newPlate(), vehicleClassId: classId, serviceIds: [services[PLAIN].id], startsAt }
      const done = await desk.post('/bookings', body).then(() => true, (error) => /409/.test(error.message) && false)
      if (!done) return
    }
    assert.fail('the time was not taken up')
  }
})

describe('booking in the compiled mini-program', () => {
  let browser, app, page, desk, member
  const step = story(test, () => page)

  before(async () => {
    pack()
    browser = await launch()
    desk = await staffApi(origin)
    await prepared(desk)
    member = await memberCodes(origin, { name: '陆远', phone: newPhone(), plate: newPlate() })
    app = await miniProgram(browser, origin, member.persona)
    page = app.page
  })
  after(async () => {
    app?.close()
    await browser?.close()
  })
  const tap = (selector, text) => app.on(selector).filter({ hasText: text }).first().tap()
  const clean = async () => {
    app.clean()
    assert.deepEqual(await app.faults(), [])
  }

  step('books with a deposit by requestPayment and adds it to the phone’s calendar', async () => {
    await tap('.action', '预约')
    await tap('.service', DEAR)
    await page.waitForTimeout(300)
    await look(page, 'mp-booking')
    await tap('wx-button', '选时间')
    await tap('.day', '明天')
    await app.on('.time').nth(3).tap()
    await look(page, 'mp-booking-time')
    await tap('wx-button', '下一步')
    await tap('wx-button', '提交，去付定金')
    await app.on('.clock').waitFor()
    await look(page, 'mp-booking-hold')
    await tap('wx-button', '微信支付定金')
    await app.on(':text("预约好了")').waitFor()
    assert.equal((await app.calls('requestPayment')).length, 1)
    await tap('wx-button', '加到日历')
    await page.waitForFunction(() => window.__sim.calls.some(([name]) => name === 'addPhoneCalendar'))
    const [[, entry]] = await app.calls('addPhoneCalendar')
    assert.equal(typeof entry.startTime, 'number')
    await tap('wx-button', '看预约')
    await app.on(':text("已约好")').waitFor()
    await look(page, 'mp-booking-detail')
    await clean()
  })

  step('calls for help on the road with a place from the map', async () => {
    await page.evaluate(() => window.__sim.wx.reLaunch({ url: '/pages/booking/rescue' }))
    await tap('wx-button', '用手机定位')
    await app.on(':text("已定位")').waitFor()
    await tap('.chip', '爆胎')
    await look(page, 'mp-rescue')
    await tap('wx-button', '呼叫救援')
    await app.on(':text("正在安排师傅")').waitFor()
    await look(page, 'mp-rescue-asked')
    const asked = (await member.get('/bookings?scope=open')).items.find((b) => b.kind === 'rescue')
    assert.equal(asked.state, 'requested')
    assert.equal(asked.latE6, 31_230_400)
    await clean()
  })

  step('staff send help: accept, on the way, there, photos by the camera, done', async () => {
    const asked = (await member.get('/bookings?scope=open')).items.find((b) => b.kind === 'rescue')
    await page.evaluate(() => window.__sim.wx.reLaunch({ url: '/pkg-staff/login/index' }))
    await app.on('input').nth(0).fill('manager')
    await app.on('input').nth(1).fill(PASSWORD)
    await app.on('wx-button:text-is("登录")').tap()
    await tap('.row', '静安店')
    await app.on('.tool').first().waitFor()
    await page.evaluate((id) => window.__sim.wx.navigateTo({ url: `/pkg-staff/booking/index?id=${id}` }), asked.id)
    await tap('wx-button', '接单')
    await tap('wx-button', '出发')
    await tap('wx-button', '已到达')
    await app.on('.add').first().tap()
    await page.waitForFunction(() => document.querySelectorAll('.wx-page.on .photo:not(.add):not(.wait)').length >= 1)
    await look(page, 'mp-staff-rescue')
    await tap('wx-button', '开始施工')
    await tap('wx-button', '完工')
    await tap('.chip', '已换备胎')
    await app.on('.sheet wx-button').last().tap()
    await app.on(':text("已换备胎")').first().waitFor()
    await look(page, 'mp-staff-rescue-done')
    assert.ok((await app.calls('uploadFile')).length >= 1)
    await clean()
  })
})

/** The page may be one that was open before, on whatever day it was left. */
async function showTomorrow(page) {
  const day = page.locator('.nav:visible .day')
  await day.waitFor()
  if ((await day.innerText()) !== '明天') await page.locator('.arrow:visible').last().click()
  await day.filter({ hasText: '明天' }).waitFor()
}

/** Somebody with several stores says first where they work today. */
async function managerLogin(page) {
  await page.goto(`${origin}/h5/#/pkg-staff/login/index`)
  await fillRow(page, '用户名', 'manager')
  await fillRow(page, '密码', PASSWORD)
  await page.locator('uni-button').getByText('登录', { exact: true }).click()
  await page.locator('.row:visible').filter({ hasText: '静安店' }).click()
  await page.locator('.tool').first().waitFor()
}

/** One service has another's name in its description. */
const service = (page, name) => page.locator('.service:visible').filter({ has: page.getByText(name, { exact: true }) })

/** The strip's day and the n-th time of a part of it; says which it was, because earlier tellings may have taken others. */
async function chooseTime(page, day, part, n) {
  await page.locator('.day:visible').filter({ hasText: day }).first().click()
  const times = page.locator('.part:visible').filter({ hasText: part }).locator('.time')
  await times.first().waitFor()
  const time = times.nth(Math.min(n, (await times.count()) - 1))
  await time.click()
  return (await time.innerText()).trim()
}

/** What a camera would give: larger than is sent, with something to see on it. */
async function carPhoto(page) {
  const drawn = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 2400, height: 1800 })
    const context = canvas.getContext('2d')
    const sky = context.createLinearGradient(0, 0, 0, 1800)
    sky.addColorStop(0, '#9db8c4')
    sky.addColorStop(1, '#4c5f66')
    context.fillStyle = sky
    context.fillRect(0, 0, 2400, 1800)
    context.fillStyle = '#e8edef'
    context.fillRect(500, 900, 1400, 320)
    context.fillRect(800, 640, 800, 300)
    context.fillStyle = '#1c262a'
    for (const x of [760, 1640]) context.fill(new Path2D(`M${x - 130} 1220a130 130 0 1 0 260 0a130 130 0 1 0 -260 0`))
    return canvas.toDataURL('image/jpeg', 0.9)
  })
  return Buffer.from(drawn.split(',')[1], 'base64')
}

async function takePhoto(page, label) {
  const buffer = await carPhoto(page)
  const before = await page.locator('.photo:visible img').count()
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.locator(`[aria-label="${label}"]:visible`).click()])
  await chooser.setFiles({ name: 'car.jpg', mimeType: 'image/jpeg', buffer })
  await page.waitForFunction((n) => document.querySelectorAll('.photo:not(.wait) img').length > n, before)
}
