// One demo of the whole system on a free port, with a data folder of its own.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const START_MS = 120_000
const STOP_MS = 10_000

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/** The binary named by LIANGCHE_BIN, or one that is built now (the front ends must have been built before). */
function binary(dir) {
  const given = process.env.LIANGCHE_BIN
  if (given) return path.resolve(given)
  const out = path.join(dir, 'liangche')
  const { status } = spawnSync('go', ['build', '-o', out, './cmd/liangche'], { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) throw new Error('the server did not build')
  return out
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Starts a demo and resolves once it answers: `{origin, log(), stop()}`. `stop` ends it by its pid and removes its data. */
export async function startDemo() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'liangche-e2e-'))
  const origin = `http://127.0.0.1:${await freePort()}`
  const child = spawn(binary(dir), ['demo', '--listen', new URL(origin).host, '--data', path.join(dir, 'data')], { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  const keep = (chunk) => (log = (log + chunk).slice(-100_000))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const gone = new Promise((resolve) => child.once('exit', resolve))

  async function stop() {
    if (child.exitCode === null) {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await gone
      clearTimeout(late)
    }
    fs.rmSync(dir, { recursive: true, force: true })
  }

  const until = Date.now() + START_MS
  for (;;) {
    const up = await fetch(`${origin}/readyz`).then((r) => r.ok, () => false)
    if (up) return { origin, pid: child.pid, log: () => log, stop }
    if (child.exitCode !== null || Date.now() > until) {
      await stop()
      throw new Error(`the demo did not start:\n${log}`)
    }
    await pause(200)
  }
}
