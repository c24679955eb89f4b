// The membership programme on the phone: a pass bought and read, a coupon that brings a friend, points for a mat collected by code, a family.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { consoleApi, newPhone, newPlate, sandbox, staffApi } from '../lib/api.mjs'
import { fits, launch, look, phone, story } from '../lib/browser.mjs'
import { button, cover, fillRow, logInAs, onPage, payOnSheet, typePlate } from '../lib/h5.mjs'
import { memberCodes, ownerApi } from '../lib/member.mjs'
import { decodeSoon } from '../lib/qr.mjs'

const origin = process.env.E2E_ORIGIN
const weixin = sandbox(origin)
const stamp = String(Date.now()).slice(-6)
const PLAN = `十次卡${stamp}`
const COUPON = `好友券${stamp}`
const MAT = `脚垫${stamp}`

describe('club', () => {
  let browser, me, page, owner, friend, friendPage, desk, boss, invite, claimCode, friendPersona
  const step = story(test, () => friendPage ?? page)
  const shown = (selector, text) => page.locator(`${selector}:visible`).filter({ hasText: text }).first()
  const agree = () => page.locator('.uni-modal__btn_primary:visible').click()
  const open = async (path) => {
    await page.goto(`${origin}/h5/#${path}`)
    await page.reload()
  }

  before(async () => {
    browser = await launch()
    boss = await consoleApi(origin)
    desk = await staffApi(origin)
    const wash = (await desk.get(`/catalog?storeId=${desk.storeId}`)).services.find((s) => s.name === '标准洗车')
    await boss.post('/pass-plans', {
      name: PLAN, kind: 'times', onSale: true, priceFen: 28000, validMonths: 12, plates: 1, giftable: true, fromBalance: true, recharge: { times: 5, priceFen: 15000 },
      lines: [{ title: '标准洗车', serviceIds: [wash.id], times: 10, listFen: 3500 }],
    })
    const coupon = await boss.post('/coupon-templates', { name: COUPON, kind: 'amount', offFen: 1000, thresholdFen: 3000, stack: 'none', giftable: true, validDays: 30, active: true })
    const now = Date.now()
    claimCode = `CLUB${stamp}`
    await boss.post('/coupon-claims', { templateId: coupon.id, title: '朋友有礼', code: claimCode, stock: 2, perMember: 1, from: new Date(now - 3600_000).toISOString(), until: new Date(now + 86400_000).toISOString(), active: true })
    await boss.post('/mall/items', { kind: 'good', name: MAT, points: 800, stock: 1, ship: true, active: true })
    const rules = await boss.get('/referrals/rules')
    await boss.put('/referrals/rules', { ...rules, on: true, inviterGift: [{ kind: 'points', n: 500 }], friendGift: [{ kind: 'points', n: 500 }] })
    owner = await memberCodes(origin, { name: '何清', phone: newPhone(), plate: newPlate() })
    await boss.post(`/members/${owner.memberId}/points`, { points: 1000, reason: '活动补发' })
    friendPersona = await weixin.addPersona(`何友${stamp}`, newPhone())

    me = await phone(browser)
    page = me.page
    await page.goto(`${origin}/sandbox/`)
    await page.locator('button.row').filter({ hasText: owner.persona.nickname }).first().click()
    await page.getByText('打开小程序').click()
    await onPage(page, '.face').first().waitFor()
  })
  after(() => browser?.close())

  step('buys a pass for the car, and the notification is lost', async () => {
    await onPage(page, '.action').filter({ hasText: '商店' }).click()
    await shown('.plan', PLAN).click()
    await button(page, '微信支付 ¥280').waitFor()
    await look(page, 'club-plan')
    await button(page, '微信支付 ¥280').click()
    await cover(page).locator('[data-outcome=pay_lose_notification]').click()
    await cover(page).locator('#done').getByText('完成').click()
    await page.getByText('买好了').waitFor({ timeout: 30_000 })
    await look(page, 'club-sale')
    await button(page, '看看这张卡').click()
    await page.getByText('剩 10 / 10 次').waitFor()
    assert.equal(await page.locator('.dot.on:visible').count(), 10)
    await look(page, 'club-pass')
    me.clean()
  })

  step('uses one at the till, reads what would come back', async () => {
    const home = await owner.get('/home')
    const car = home.vehicles[0]
    const wash = (await desk.get(`/catalog?storeId=${desk.storeId}`)).services.find((s) => s.name === '标准洗车')
    const request = { storeId: desk.storeId, memberId: owner.memberId, plate: car.plate, vehicleClassId: car.vehicleClassId, items: [{ kind: 'service', id: wash.id, qty: 1 }] }
    const quote = await desk.post('/quotes', request)
    assert.equal(quote.totalFen, 0, 'the pass pays the wash by itself')
    await desk.post('/checkouts', { ...request, quoteHash: quote.quoteHash, tenders: [] })
    await page.reload()
    await page.getByText('剩 9 / 10 次').waitFor()
    await page.getByText('看看能退多少').click()
    await page.getByText('用了 1 次，剩 9 次').waitFor()
    await page.locator('.total:visible').getByText('245').waitFor()
    await look(page, 'club-refund')
    me.clean()
  })

  step('gives up a recharge in the pay sheet', async () => {
    await page.goBack()
    await button(page, '充次').click()
    await button(page, '微信支付 ¥150').click()
    await cover(page).locator('[data-outcome=cancel]').first().click()
    await page.getByText('还没有付款').waitFor()
    await button(page, '不买了').click()
    await agree()
    await page.getByText('已取消，没有扣款').waitFor()
    me.clean()
  })

  step('takes a coupon from a claim page, and sends it to a friend', async () => {
    await open(`/pages/club/claim/index?code=${claimCode}`)
    await button(page, '领取').click()
    await page.getByText('领到了').waitFor()
    await look(page, 'club-claimed')
    await button(page, '看看我的优惠券').click()
    await page.locator('.ticket:visible').filter({ hasText: COUPON }).getByText('送朋友').click()
    await agree()
    await page.getByText('发出去').or(page.getByText('复制链接')).first().waitFor()
    await look(page, 'club-gift')
    const { items } = await owner.get('/coupons?state=available')
    claimCode = items.find((c) => c.offer.name === COUPON).gift.code
    invite = (await owner.get('/referral')).code
    me.clean()
  })

  step('the friend comes by an invitation, then by the gift, joins, and is back at the gift', async () => {
    friend = await phone(browser)
    friendPage = friend.page
    friend.allow(/status of 40[14]/) // nobody is logged in, and then is no member yet
    await friendPage.goto(`${origin}/h5/#/pages/join/index?invite=${invite}`)
    await friendPage.waitForURL(/\/sandbox\/connect\/oauth2\/authorize/)
    await logInAs(friendPage, friendPersona.nickname)
    await friendPage.locator('.agree').waitFor()
    await friendPage.goto(`${origin}/h5/#/pages/club/gift/index?code=${claimCode}`)
    await friendPage.reload()
    await button(friendPage, '收下').click() // anybody may look; taking it needs a card
    await friendPage.locator('.agree').click()
    await button(friendPage, '同意并继续').click()
    await button(friendPage, '手动输入').click()
    await fillRow(friendPage, '手机号', friendPersona.phone)
    await button(friendPage, '下一步').click()
    await fillRow(friendPage, '称呼', '何友')
    await button(friendPage, '下一步').click()
    await typePlate(friendPage, newPlate())
    await friendPage.locator('.chip').filter({ hasText: '轿车' }).click()
    await button(friendPage, '领取会员卡').click()
    await friendPage.getByText('会员卡到手啦').waitFor()
    await friendPage.locator('uni-button').filter({ hasText: '回到刚才的页面' }).last().click()
    await button(friendPage, '收下').click()
    await friendPage.getByText('收下了').first().waitFor()
    await fits(friendPage)
    const theirs = await ownerApi(origin, friendPersona.id)
    assert.equal((await theirs.get('/coupons?state=available')).items.filter((c) => c.offer.name === COUPON).length, 1)
    assert.equal((await theirs.get('/referral')).mayBind, false, 'the invitation came along with the application')
    assert.equal((await owner.get('/referral')).friends.length, 1)
    friend.clean()
    await friend.context.close()
    friendPage = undefined
  })

  step('exchanges points for a mat, which the desk hands out by its code', async () => {
    await open('/pages/club/index?tab=mall')
    await shown('.item', MAT).click()
    await button(page, '立即兑换').click()
    await agree()
    await page.getByText('到店出示这个码取货').waitFor()
    await look(page, 'club-pickup')
    const code = await decodeSoon(page.locator('.qr:visible'))
    assert.match(code, /^\d{10}$/)
    const found = await desk.post('/mall/collect', { code })
    await desk.post(`/mall/orders/${found.id}/deliver`, { code })
    await page.getByText('到店出示这个码取货').waitFor({ state: 'hidden', timeout: 15_000 })
    await look(page, 'club-collected')
    me.clean()
  })

  step('draws a poster with the code of the mini-program', async () => {
    await open('/pages/club/referral')
    await button(page, '生成邀请海报').click()
    await page.locator('.poster:visible').waitFor()
    await look(page, 'club-poster')
    const download = page.waitForEvent('download')
    await button(page, '保存到相册').click()
    assert.match((await download).suggestedFilename(), /\.png$/)
    me.clean()
  })

  step('makes a family, invites by a link with a cap, and sees the month', async () => {
    await open('/pages/club/groups/index')
    await button(page, '建家庭账户').click()
    await page.locator('input:visible').fill('何家')
    await button(page, '建立账户').click()
    await button(page, '邀请用车人').click()
    await page.locator('.row:visible', { hasText: '每月最多' }).locator('input').fill('0')
    await button(page, '生成邀请链接').click()
    await page.getByText('请输入大于 0 的金额').waitFor()
    await page.locator('.row:visible', { hasText: '每月最多' }).locator('input').fill('300')
    await button(page, '生成邀请链接').click()
    await page.getByText('邀请链接好了').waitFor()
    await look(page, 'club-invite')
    await page.locator('.close:visible').first().click()
    await page.getByText('邀请中').waitFor()
    await button(page, '对账单').click()
    await page.getByText('这个月还没有付款').waitFor()
    await look(page, 'club-statement')
    me.clean()
  })

  step('every page of the club is as wide as the phone', async () => {
    for (const path of ['index', 'passes', 'points/index', 'coupons/index', 'tier/index', 'orders', 'code', 'groups/apply', 'groups/approvals']) {
      await open(`/pages/club/${path}`)
      await page.locator('.page:visible').first().waitFor()
      await look(page, `club-${path.replace('/', '-')}`)
    }
    me.clean()
  })
})
