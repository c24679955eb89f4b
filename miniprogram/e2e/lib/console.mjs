// Hands for the web console.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { PASSWORD } from './api.mjs'
import { profile } from './browser.mjs'

export const desktop = (browser, width = 1440, height = 900) => profile(browser, { viewport: { width, height } })

export async function consoleLogin(page, origin, username) {
  await page.goto(`${origin}/console/`)
  await page.locator('input[name=username]').fill(username)
  await page.locator('input[name=password]').fill(PASSWORD)
  await page.getByRole('button', { name: '登录' }).click()
  await page.locator('.side .menu').waitFor()
}

/** Opens a page of the console and waits until its content is there. */
export async function open(page, origin, path) {
  await page.goto(`${origin}/console/#${path}`)
  await page.locator('#content h1').first().waitFor()
  await settled(page)
}

/** No skeleton and no busy table is left. */
export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true], tr.skeleton, .el-skeleton'))
}

export const dialog = (page) => page.locator('.el-dialog:visible').last()

/** Fills the reason that a dialog asks for, and does it. */
export async function giveReason(page, text, action) {
  await dialog(page).locator('textarea').fill(text)
  await dialog(page).locator('footer').getByRole('button', { name: action }).click()
  await dialog(page).waitFor({ state: 'hidden' })
}

/** Downloads an export; the bytes that a person would get. */
export async function exported(page, kind) {
  await page.getByRole('button', { name: '导出' }).first().click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: kind }).click()])
  const bytes = fs.readFileSync(await download.path())
  assert.ok(bytes.length > 200, `${download.suggestedFilename()} is not empty`)
  await page.locator('.el-dialog:visible').waitFor({ state: 'hidden' })
  return { bytes, name: download.suggestedFilename() }
}

export const BOM = Buffer.from([0xef, 0xbb, 0xbf])
