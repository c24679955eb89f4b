// The compiled mini-program itself (WXML, WXSS and JS as WeChat gets them) against the real server.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newEnergyPlate, newPhone, sandbox, staffApi } from '../lib/api.mjs'
import { launch, look, story } from '../lib/browser.mjs'
import { ownerApi } from '../lib/member.mjs'
import { decodeSoon } from '../lib/qr.mjs'
import { miniProgram, pack } from '../lib/runner.mjs'

const origin = process.env.E2E_ORIGIN
const phoneNo = newPhone()
const plate = newEnergyPlate()
/** uni-app's beacon to its vendor would fire three seconds after start. */
const BEACON_MS = 3600

describe('compiled mini-program', () => {
  let browser, app, page, started
  const step = story(test, () => page)

  before(async () => {
    pack()
    browser = await launch()
    const persona = await sandbox(origin).addPersona(`秦川${phoneNo.slice(-4)}`, phoneNo)
    app = await miniProgram(browser, origin, persona, [/status of 404.*\/api\/owner\/(home|pulse)/]) // not a member yet
    page = app.page
    started = Date.now()
  })
  after(async () => {
    app?.close()
    await browser?.close()
  })
  const clean = async () => {
    app.clean()
    assert.deepEqual(await app.faults(), [])
  }
  const tap = (selector, text) => app.on(selector).filter({ hasText: text }).first().tap()

  step('starts, logs in with wx.login, and invites to join', async () => {
    await app.on(':text("领一张会员卡吧")').waitFor()
    assert.ok((await app.calls('login')).length > 0)
    await look(page, 'mp-stranger')
    await clean()
  })

  step('joins with getPhoneNumber and a new-energy plate', async () => {
    await tap('wx-button', '免费领取会员卡')
    await app.on('.agree').tap()
    await tap('wx-button', '同意并继续')
    await tap('wx-button', '使用微信手机号')
    await app.on('input').first().fill('秦川')
    await look(page, 'mp-join-person')
    await tap('wx-button', '下一步')
    await app.on('.box').first().tap()
    for (const char of plate) await app.on('.keyboard .key').getByText(char, { exact: true }).tap()
    await app.on('.keyboard .finish').tap()
    await page.waitForTimeout(400)
    await look(page, 'mp-join-vehicle')
    await tap('wx-button', '领取会员卡')
    await app.on(':text("会员卡到手啦")').waitFor()
    await tap('wx-button', '直接看会员卡')
    await app.on('.face').first().waitFor()
    await look(page, 'mp-home')
    await clean()
  })

  step('tops up 500 with requestPayment', async () => {
    await tap('.action', '充值')
    await tap('.plan', '500')
    await tap('wx-button', '微信支付 ¥500')
    await app.on(':text("充值到账")').waitFor()
    await look(page, 'mp-topup-credited')
    assert.equal((await app.calls('requestPayment')).length, 1)
    assert.equal((await app.calls('requestSubscribeMessage')).length, 1)
    await tap('wx-button', '看看会员卡')
    await app.on('.face').filter({ hasText: '580' }).waitFor()
    await clean()
  })

  step('shows a code that decodes, and is told of the deduction by itself', async () => {
    await tap('.action', '会员码')
    await app.on('canvas').waitFor()
    await page.waitForTimeout(500)
    const digits = async () => (await app.on('.digits').innerText()).replace(/\D/g, '')
    let shown = await digits()
    let scanned = await decodeSoon(app.on('canvas'))
    if (shown !== (await digits())) [shown, scanned] = [await digits(), await decodeSoon(app.on('canvas'))]
    assert.equal(scanned, `LC1:${shown}`)
    await look(page, 'mp-code')
    const desk = await staffApi(origin)
    const member = await desk.post('/scan', { storeId: desk.storeId, code: scanned })
    await desk.settle({ memberId: member.memberId, plate, service: '标准洗车' })
    await app.on('.notice').filter({ hasText: '消费' }).waitFor()
    await look(page, 'mp-code-notice')
    await app.on('.notice .title').tap()
    await app.on('.receipt').waitFor()
    await look(page, 'mp-receipt')
    await clean()
  })

  step('opens the staff sub-package', async () => {
    await page.evaluate(() => window.__sim.wx.navigateTo({ url: '/pkg-staff/login/index' }))
    await app.on(':text("员工工作台")').first().waitFor()
    await look(page, 'mp-staff-login')
    await clean()
  })

  step('sends no beacon to anybody', async () => {
    await page.waitForTimeout(Math.max(0, BEACON_MS - (Date.now() - started)))
    assert.deepEqual(await app.calls('preloadAssets'), [])
    await clean()
  })
})

/** Somebody of the demo who has a pass, points, a tier with a picture, friends, and a family that shares a wallet. */
const MEMBER = '林晓舟'
const PASS = '标准洗车 10 次卡'

describe('the club in the compiled mini-program', () => {
  let browser, app, owner
  const links = {}

  before(async () => {
    pack()
    browser = await launch()
    const persona = (await sandbox(origin).state()).personas.find((p) => p.nickname === MEMBER)
    owner = await ownerApi(origin, persona.id)
    const first = async (path, holds = () => true) => {
      const found = (await owner.get(path)).items.find(holds)
      assert.ok(found, `the demo has something in ${path}`)
      return found
    }
    links.pass = (await first('/passes?state=open')).id
    links.plan = (await first('/pass-plans')).id
    links.membership = (await first('/membership-plans')).id
    links.sale = (await first('/records?limit=50', (r) => r.saleId)).saleId
    links.item = (await first('/mall/items')).id
    links.order = (await first('/mall/orders')).id
    links.group = (await first('/groups')).id
    links.invite = (await owner.post(`/groups/${links.group}/invites`, { cardKind: 'driver', note: '司机小王', rules: { plates: [], serviceIds: [], weekdays: [] } })).code
    links.coupon = (await first('/coupons?state=available', (c) => c.offer.giftable)).id
    await owner.post(`/coupons/${links.coupon}/gift`)
    links.gift = (await first('/coupons?state=available', (c) => c.gift)).gift.url.split('code=')[1]
    app = await miniProgram(browser, origin, persona)
    await app.on('.face').first().waitFor()
  })
  after(async () => {
    if (links.gift) await owner.post(`/coupons/${links.coupon}/gift/cancel`)
    app?.close()
    await browser?.close()
  })

  // Where it is, and words that only what the server said can bring.
  const pages = () => [
    ['index', [PASS, '¥']],
    ['index?tab=memberships', ['银卡年费会员']],
    ['index?tab=mall', ['全包围脚垫', '兑换记录']],
    [`plan?id=${links.plan}`, [PASS, '买之前请看清']],
    [`membership?id=${links.membership}`, ['银卡年费会员', '12 个月']],
    [`sale?id=${links.sale}`, [PASS]],
    ['passes', [PASS]],
    [`pass?id=${links.pass}`, [PASS, '购买时的约定']],
    ['pass-claim?code=ABCD2345', ['朋友送您一张卡']],
    [`refund?id=${links.pass}`, ['今天退，可以退回']],
    ['points/index', ['可用积分', '推荐好友奖励']],
    [`item?id=${links.item}`, ['全包围脚垫']],
    ['orders', ['车载香薰']],
    [`order?id=${links.order}`, ['到店出示这个码取货', '车载香薰']],
    ['coupons/index', ['洗车满 50 减 10']],
    ['claim/index?code=XICHE10', ['周末洗车券，先到先得', '200 张']],
    [`gift/index?code=${links.gift}`, ['这是您自己送出的券，请让朋友来收']],
    ['code', ['券码、兑换码']],
    ['tier/index', ['金卡会员', '我的待遇']],
    ['referral', ['我的邀请码', '已奖励']],
    ['groups/index', ['晓舟一家']],
    ['groups/family', ['账户名称']],
    ['groups/apply', ['企业名称']],
    [`groups/detail?id=${links.group}`, ['晓舟一家', '雨桐的海豚']],
    [`groups/place?id=${links.group}`, ['限定服务', '标准洗车']],
    [`groups/join?code=${links.invite}`, ['晓舟一家']],
    ['groups/approvals', ['内饰深度清洁']],
    [`groups/statement?id=${links.group}`, ['晓舟一家', '笔']],
  ]

  test('opens every page of the club with what belongs on it', async (t) => {
    for (const [where, words] of pages()) {
      await t.test(where.split('=')[0], async () => {
        await app.page.evaluate((url) => window.__sim.wx.reLaunch({ url }), `/pages/club/${where}`)
        for (const text of words) await app.on(`:text("${text}")`).first().waitFor()
        await look(app.page, `mp-club-${where.replace(/(id|code)=.*/, '').replace(/[^a-z]+/g, '-')}`)
        app.clean()
        assert.deepEqual(await app.faults(), [])
      })
    }
  })
})
