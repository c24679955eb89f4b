// Chromium, and pages that remember everything that went wrong on them.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

export const OUT = fileURLToPath(new URL('../out/', import.meta.url))
export const PHONE = { width: 390, height: 844 }
const WAIT_MS = 15_000

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
]

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS })

/** A browser profile. `watch` collects what must not happen; `allow` names console errors that a step provokes on purpose. */
export async function profile(browser, options = {}) {
  const context = await browser.newContext({ viewport: PHONE, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', acceptDownloads: true, ...options })
  context.setDefaultTimeout(WAIT_MS)
  const watch = { errors: [], foreign: [], allowed: [] }
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (/^(https?|wss?):$/.test(url.protocol) && url.hostname !== '127.0.0.1') watch.foreign.push(request.url())
  })
  context.on('page', (page) => {
    page.on('pageerror', (error) => watch.errors.push(`${page.url()} page error: ${error.message}`))
    page.on('console', (message) => {
      if (message.type() !== 'error') return
      const text = `${message.text()} ${message.location().url}`
      if (!watch.allowed.some((pattern) => pattern.test(text))) watch.errors.push(`${page.url()} console: ${text}`)
    })
  })
  const page = await context.newPage()
  return {
    context,
    page,
    watch,
    /** Chromium reports every 4xx answer as a console error: a step that provokes one says so. */
    allow: (pattern) => watch.allowed.push(pattern),
    clean() {
      assert.deepEqual(watch.errors.splice(0), [], 'no error on the page')
      assert.deepEqual(watch.foreign.splice(0), [], 'no request leaves this machine')
    },
  }
}

export const phone = (browser, options = {}) => profile(browser, { viewport: PHONE, deviceScaleFactor: 2, hasTouch: true, isMobile: true, ...options })

/** Nothing sticks out at the side, at this width. */
export async function fits(page) {
  const over = await page.evaluate(() => {
    const width = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth <= width + 1) return []
    const wide = [...document.querySelectorAll('body *')].filter((el) => el.getBoundingClientRect().right > width + 1)
    return [`${document.documentElement.scrollWidth} > ${width}`, ...wide.slice(0, 5).map((el) => `${el.tagName}.${el.className}`)]
  })
  assert.deepEqual(over, [], `horizontal overflow on ${page.url()}`)
}

/** Keeps a picture of a page on which a step failed. */
export async function failing(page, name) {
  fs.mkdirSync(OUT, { recursive: true })
  await page.screenshot({ path: path.join(OUT, `fail-${name.replace(/[^\w\u4e00-\u9fff]+/g, '-')}.png`) }).catch(() => {})
}

/** Steps of one story: a failing step leaves a picture, and the rest, which stand on it, are skipped. */
export function story(test, pageOf) {
  let broken = ''
  return (name, run, options) =>
    test(name, options, async (t) => {
      if (broken) return t.skip(`“${broken}” failed`)
      try {
        await run()
      } catch (error) {
        broken = name
        const page = pageOf()
        if (page) {
          await failing(page, name)
          error.message += `\n  at ${page.url()}`
        }
        throw error
      }
    })
}

/** What every page must be at any moment: nothing sticks out. With E2E_LOOK=1 it also keeps a picture to look at. */
export async function look(page, name) {
  if (process.env.E2E_LOOK) {
    fs.mkdirSync(OUT, { recursive: true })
    await page.waitForTimeout(400)
    await page.screenshot({ path: path.join(OUT, `${name}.png`) })
  }
  await fits(page)
}
