// Measures what a phone has to load first and fails over the limits:
//   H5: JavaScript + CSS of the first page, gzipped (what index.html names, what those files import
//       statically, and the chunks of the first page) below 250 KB;
//   mini-program: the main package below 1 MB and every sub-package below 2 MB.
// Also fails when a vendor's address is in any built file.
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'

const KB = 1024
const H5_FIRST_LOAD = 250 * KB
const MP_MAIN = 1024 * KB
const MP_SUB = 2048 * KB
const FIRST_PAGE = 'pages-home-index'
const VENDOR = /dcloud\.net\.cn|dcloud\.io\/|alicdn\.com|unpkg\.com|jsdelivr/
/** Help texts of the framework that name its web site are no requests: only addresses in code that fetches count. */
const FETCHABLE = /(?:url\(|src=|href=|fetch\(|request\(|import\()\s*["'`]?https?:\/\/[^"'`)\s]*/g

let failed = false
const fail = (text) => {
  failed = true
  console.log(`FAIL ${text}`)
}
const report = (name, bytes, limit) => {
  const line = `${name}: ${(bytes / KB).toFixed(1)} KB (limit ${limit / KB} KB)`
  if (bytes > limit) fail(line)
  else console.log(`ok   ${line}`)
}

function walk(dir) {
  return fs.readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(dir, entry.name)
    return entry.isDirectory() ? walk(full) : [full]
  })
}

/** Files that `entry` needs before it can run: its static imports, and theirs. */
function staticImports(root, entry, seen = new Set()) {
  if (seen.has(entry) || !fs.existsSync(path.join(root, entry))) return seen
  seen.add(entry)
  const code = fs.readFileSync(path.join(root, entry), 'utf8')
  for (const [, target] of code.matchAll(/(?:^|[;}\s])(?:import|export)\s*(?:[\w*{}$,\s]+?from\s*)?["'](\.[^"']+\.js)["']/g)) {
    staticImports(root, path.normalize(path.join(path.dirname(entry), target)), seen)
  }
  return seen
}

function checkH5(root) {
  const html = fs.readFileSync(path.join(root, 'index.html'), 'utf8')
  const files = new Set()
  for (const [, ref] of html.matchAll(/<(?:script|link)\b[^>]*?\s(?:src|href)="([^"]+\.(?:js|css))"/g)) {
    const file = path.normalize(ref.replace(/^\.?\//, ''))
    if (file.endsWith('.js')) staticImports(root, file, files)
    else files.add(file)
  }
  // The first page comes by a dynamic import: Vite lists everything that it preloads for it.
  const entry = [...files].find((file) => fs.readFileSync(path.join(root, file), 'utf8').includes(`${FIRST_PAGE}.`))
  const code = entry ? fs.readFileSync(path.join(root, entry), 'utf8') : ''
  const deps = JSON.parse(/m\.f=(\[[^\]]*\])/.exec(code)?.[1] ?? '[]')
  const used = new RegExp(`${FIRST_PAGE}\\.[\\w-]+\\.js["']\\),__vite__mapDeps\\((\\[[^)]*\\])\\)`).exec(code)
  if (!used) fail('the chunks of the first page were not found in the entry: read its code again')
  else for (const index of JSON.parse(used[1])) files.add(path.normalize(path.join(path.dirname(entry), deps[index])))
  let total = 0
  for (const file of files) total += zlib.gzipSync(fs.readFileSync(path.join(root, file)), { level: 9 }).length
  report(`H5 first load, ${files.size} files, gzipped`, total, H5_FIRST_LOAD)
  if (process.argv.includes('--list')) for (const file of files) console.log(`     ${file}`)
}

function checkMiniProgram(root) {
  const app = JSON.parse(fs.readFileSync(path.join(root, 'app.json'), 'utf8'))
  const subs = (app.subPackages ?? []).map((sub) => sub.root.replace(/\/?$/, '/'))
  const sizes = new Map([['main', 0], ...subs.map((sub) => [sub, 0])])
  for (const full of walk(root)) {
    const file = path.relative(root, full)
    const owner = subs.find((sub) => file.startsWith(sub)) ?? 'main'
    sizes.set(owner, sizes.get(owner) + fs.statSync(full).size)
  }
  for (const [name, bytes] of sizes) report(`mini-program ${name}`, bytes, name === 'main' ? MP_MAIN : MP_SUB)
}

function checkVendors(root) {
  for (const full of walk(root).filter((file) => /\.(js|css|wxss|wxml|html|json)$/.test(file))) {
    const text = fs.readFileSync(full, 'utf8')
    for (const [address] of text.matchAll(FETCHABLE)) {
      if (VENDOR.test(address)) fail(`vendor address in ${full}: ${address}`)
    }
    if (/preloadAssets\(\{/.test(text)) fail(`vendor beacon in ${full}`)
  }
}

const here = path.dirname(path.dirname(new URL(import.meta.url).pathname))
const h5 = path.join(here, 'dist/build/h5')
const mp = path.join(here, 'dist/build/mp-weixin')
let measured = 0
for (const [dir, check] of [[h5, checkH5], [mp, checkMiniProgram]]) {
  if (!fs.existsSync(dir)) {
    console.log(`skip ${path.relative(here, dir)}: not built`)
    continue
  }
  measured++
  check(dir)
  checkVendors(dir)
}
if (!measured) fail('nothing is built')
process.exit(failed ? 1 : 0)
