// npm run e2e [name…]: starts a demo of its own, tells every story (or those whose file name contains a word given), ends the demo.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { consoleApi } from './lib/api.mjs'
import { startDemo } from './lib/server.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const words = process.argv.slice(2)
const specs = fs.readdirSync(path.join(here, 'specs')).filter((file) => file.endsWith('.test.mjs') && (!words.length || words.some((word) => file.includes(word)))).sort()

const started = Date.now()
const demo = await startDemo()
console.log(`demo at ${demo.origin} after ${seconds(started)} s`)
// The stories are told at any hour: no message waits for the morning.
const boss = await consoleApi(demo.origin, 'boss')
const { events, quietFrom, capDay, capWeek } = await boss.get('/message-setup')
await boss.put('/message-setup/rules', { events: events.map(({ event, on, sms, calls }) => ({ event, on, sms, calls })), quietFrom, quietTo: quietFrom, capDay, capWeek })
const stories = Date.now()
const child = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...specs.map((file) => path.join(here, 'specs', file))], {
  stdio: 'inherit',
  env: { ...process.env, E2E_ORIGIN: demo.origin },
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
const code = await new Promise((resolve) => child.once('exit', (status) => resolve(status ?? 1)))
if (code !== 0) console.log(`--- the demo said:\n${demo.log().replace(/.*\r/g, '').split('\n').slice(-30).join('\n')}`)
await demo.stop()
console.log(`stories ${seconds(stories)} s, everything ${seconds(started)} s`)
process.exit(code)

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1)
}
