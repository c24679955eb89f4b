// Hands for the H5 app: it is made of views, so elements are found by what a person reads.
export const onPage = (page, selector) => page.locator(`uni-page ${selector}`)
export const button = (page, text) => page.locator('uni-button:visible, [role=button]:visible').filter({ hasText: text }).first()
export const tapText = (page, text) => page.getByText(text, { exact: true }).locator('visible=true').first().click()

/** Fills the input that stands in a row beside its label. */
export const fillRow = (page, label, text) =>
  page.locator('.row', { has: page.locator('.label', { hasText: new RegExp(`^${label}$`) }) }).locator('input').fill(text)

/** Types a plate on the page's own plate keyboard. */
export async function typePlate(page, plate) {
  await page.locator('.boxes .box:visible').first().click()
  const keys = page.locator('.keyboard:visible .key')
  for (const char of plate) await keys.getByText(char, { exact: true }).click()
  await page.locator('.keyboard:visible .finish').click()
  await page.locator('.keyboard:visible').waitFor({ state: 'hidden' })
}

/** The frame of the sandbox that covers the page: pay sheet, subscribe question, phone number. */
export const cover = (page) => page.frameLocator('iframe.wxsandbox-cover')

/** The subscribe question comes before the first top-up: allow it. */
export async function allowMessages(page) {
  await cover(page).locator('#accept').click()
}

/** Types six digits on the pay sheet and closes its “支付成功”. */
export async function payOnSheet(page, digits = '123456') {
  const sheet = cover(page)
  for (const digit of digits) await sheet.locator('#keys button', { hasText: digit }).click()
  await sheet.locator('#done').getByText('完成').click()
}

/** Starts OAuth on the page that is open and comes back as a persona. */
export async function logInAs(page, nickname) {
  await page.locator('a.row', { hasText: nickname }).first().click()
  await page.waitForURL(/\/h5\//)
}

export const PASSWORD = 'liangche2026'

/** Staff pages: user name and password, then the till. */
export async function staffLogin(page, origin, username = 'desk') {
  await page.goto(`${origin}/h5/#/pkg-staff/login/index`)
  await fillRow(page, '用户名', username)
  await fillRow(page, '密码', PASSWORD)
  await page.locator('uni-button').getByText('登录', { exact: true }).click()
  await page.locator('.search input').waitFor()
}

/** Opens a chat of the sandbox phone. Its list is drawn anew every second: a tap in that moment is lost, and is made again. */
export async function openChat(page, row) {
  await row.waitFor()
  while (await page.locator('#back').isHidden()) {
    await row.click({ timeout: 2000 }).catch(() => {})
    await page.waitForTimeout(200)
  }
}

/** Types a phone and proves it by the code that its text message brings. */
export async function provePhone(page, weixin, phone) {
  await fillRow(page, '手机号', phone)
  await button(page, '获取验证码').click()
  await page.getByText('验证码已发送').waitFor()
  await fillRow(page, '验证码', await weixin.textCode(phone))
  await button(page, '下一步').click()
}
