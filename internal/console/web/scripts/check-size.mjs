// Measures what the first page costs: everything index.html loads, plus the chunks of the shell,
// the login page and the dashboard. Fails above the limit. Charts are counted too.
import { readFileSync, existsSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'

const LIMIT_KB = 600
const FIRST_PAGES = ['src/components/AppShell.vue', 'src/pages/LoginPage.vue', 'src/pages/TodayPage.vue', 'src/components/TodayCharts.vue']

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
if (!existsSync(dist + 'index.html')) {
  console.error('dist/index.html is missing: run `npm run build` first')
  process.exit(1)
}
const manifest = JSON.parse(readFileSync(dist + '.vite/manifest.json', 'utf8'))
const html = readFileSync(dist + 'index.html', 'utf8')
const files = new Set([...html.matchAll(/(?:src|href)="\/console\/(assets\/[^"]+\.(?:js|css))"/g)].map((m) => m[1]))
if (files.size === 0) {
  console.error('index.html loads nothing from /console/assets: the base path is wrong')
  process.exit(1)
}

/** Adds a chunk with everything it imports statically. */
function add(key, seen = new Set()) {
  const chunk = manifest[key]
  if (!chunk || seen.has(key)) return
  seen.add(key)
  files.add(chunk.file)
  for (const css of chunk.css ?? []) files.add(css)
  for (const name of chunk.imports ?? []) add(name, seen)
}
add('index.html')
const entryOnly = files.size
for (const page of FIRST_PAGES) {
  if (!manifest[page] && existsSync(new URL(`../${page}`, import.meta.url)) === false) throw new Error(`${page} is not in the build`)
  add(page)
}

let total = 0
const rows = [...files].map((name) => {
  const bytes = gzipSync(readFileSync(dist + name)).length
  total += bytes
  return { name, kb: bytes / 1024 }
})
rows.sort((a, b) => b.kb - a.kb)
for (const row of rows.slice(0, 12)) console.log(`${row.kb.toFixed(1).padStart(8)} KB  ${row.name}`)
if (rows.length > 12) console.log(`          … and ${rows.length - 12} smaller files`)
console.log(`first page: ${(total / 1024).toFixed(1)} KB gzipped in ${rows.length} files (${entryOnly} of them by index.html), limit ${LIMIT_KB} KB`)
if (total > LIMIT_KB * 1024) {
  console.error('over the limit')
  process.exit(1)
}
