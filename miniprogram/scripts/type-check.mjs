// Runs vue-tsc and fails on our own files only: wot-design-uni ships raw .vue and .ts sources whose
// errors skipLibCheck cannot silence (it covers .d.ts files alone).
import { spawnSync } from 'node:child_process'

const FIRST_LINE = /^(\S.*)\(\d+,\d+\): error TS/
const run = spawnSync('npx', ['vue-tsc', '--noEmit', '--pretty', 'false', ...process.argv.slice(2)], {
  encoding: 'utf8',
  maxBuffer: 1e8,
})

const errors = []
for (const line of run.stdout.split('\n')) {
  const match = FIRST_LINE.exec(line)
  if (match) errors.push({ file: match[1], lines: [line] })
  else if (errors.length && line) errors.at(-1).lines.push(line)
}

const own = errors.filter((error) => !error.file.startsWith('node_modules/'))
for (const error of own) console.log(error.lines.join('\n'))
console.log(`own errors: ${own.length}, ignored in node_modules: ${errors.length - own.length}`)
if (run.status !== 0 && !errors.length) { // null when it was killed
  console.log(run.stdout, run.stderr)
  process.exit(1)
}
process.exit(own.length ? 1 : 0)
