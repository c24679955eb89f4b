// check-wxml.mjs <mp-weixin dir>
// Compiles every WXML and WXSS of a built mini-program with WeChat's own wcc and wcsc (Linux binaries inside the npm
// package miniprogram-compiler) and enforces the package sizes: 1 MB for our main package, WeChat's 2 MB for each
// sub-package and 20 MB in all.
import fs from 'node:fs'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { listFiles, subPackageRoots } from './lib/files.mjs'

const MB = 1024 * 1024
const root = path.resolve(process.argv[2])
const compiler = createRequire(import.meta.url).resolve('miniprogram-compiler/package.json')
const bin = path.join(path.dirname(compiler), 'bin/linux')
const files = listFiles(root)
let faults = 0

function compile(tool, args, extension) {
  const binary = path.join(bin, tool)
  fs.chmodSync(binary, 0o755)
  const sources = files.filter((file) => file.endsWith(extension)).map((file) => `./${file}`)
  const run = spawnSync(binary, [...args, ...sources], { cwd: root, encoding: 'utf8', maxBuffer: 1e8 })
  const good = run.status === 0
  console.log(`${good ? 'ok  ' : 'FAIL'} ${tool}: ${sources.length} files`)
  if (!good) {
    faults++
    console.log(String(run.stderr || run.stdout || run.error).slice(0, 2000))
  }
}
compile('wcc', ['-d'], '.wxml')
compile('wcsc', ['-lc'], '.wxss')

const app = JSON.parse(fs.readFileSync(path.join(root, 'app.json'), 'utf8'))
const subs = subPackageRoots(app)
const sizes = new Map([['main package', 0], ...subs.map((sub) => [sub, 0])])
for (const file of files) {
  const owner = subs.find((sub) => file.startsWith(sub)) ?? 'main package'
  sizes.set(owner, sizes.get(owner) + fs.statSync(path.join(root, file)).size)
}
sizes.set('all packages', [...sizes.values()].reduce((sum, size) => sum + size, 0))
for (const [name, size] of sizes) {
  const limit = name === 'main package' ? MB : name === 'all packages' ? 20 * MB : 2 * MB
  if (size > limit) faults++
  console.log(`${size > limit ? 'FAIL' : 'ok  '} ${name}: ${(size / 1024).toFixed(1)} KB (limit ${limit / 1024} KB)`)
}
process.exit(faults ? 1 : 0)
