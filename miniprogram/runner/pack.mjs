// pack.mjs <mp-weixin dir> <out dir>
// Turns a compiled WeChat mini-program into a static page that runs on glass-easel, WeChat's own component framework,
// with a mocked `wx`. Not emulated: style isolation, picker-view, swiper, map, video.
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import * as esbuild from 'esbuild'
import { listFiles, pagePaths } from './lib/files.mjs'
import { bundleModules } from './lib/modules.mjs'
import { wxssToCss } from './lib/wxss.mjs'

const { TmplGroup } = createRequire(import.meta.url)('glass-easel-template-compiler')
const here = path.dirname(new URL(import.meta.url).pathname)
const [source, out] = process.argv.slice(2).map((arg) => path.resolve(arg))
const files = listFiles(source)
const read = (file) => fs.readFileSync(path.join(source, file), 'utf8')
const write = (file, text) => fs.writeFileSync(path.join(out, file), text)
const withoutExtension = (file) => file.replace(/\.\w+$/, '')

function compileTemplates() {
  const group = new TmplGroup()
  let warnings = 0
  for (const file of files.filter((f) => f.endsWith('.wxs'))) {
    group.addScript(file, read(file))
    group.addScript(withoutExtension(file), read(file))
  }
  for (const file of files.filter((f) => f.endsWith('.wxml'))) {
    for (const warning of group.addTmpl(withoutExtension(file), read(file)) ?? []) {
      warnings++
      console.log(`warning ${file}: ${warning.message ?? warning}`)
    }
  }
  return { code: `window.__TMPL__ = ${group.getTmplGenObjectGroups()};`, warnings }
}

function readConfigs() {
  const json = {}
  for (const file of files.filter((f) => f.endsWith('.json') && !/project\.(private\.)?config/.test(f))) {
    json[withoutExtension(file)] = JSON.parse(read(file))
  }
  return json
}

function styles(json, pages) {
  const styled = files.filter((f) => f.endsWith('.wxss')).map(withoutExtension)
  const own = styled.filter((name) => name !== 'app' && (json[name]?.component || pages.includes(name)))
  return ['app', ...own]
    .filter((name) => styled.includes(name))
    .map((name) => `\n/* ${name} */\n${wxssToCss(`${name}.wxss`, read)}`)
    .join('')
}

const started = Date.now()
const json = readConfigs()
const pages = pagePaths(json.app)
const templates = compileTemplates()
fs.rmSync(out, { recursive: true, force: true })
fs.mkdirSync(out, { recursive: true })
write('tmpl.js', templates.code)
write('mods.js', bundleModules(files, read))
write('app.css', styles(json, pages))
write('conf.js', `window.__CONF__ = ${JSON.stringify({ app: json.app, json, pages })};`)
fs.copyFileSync(path.join(here, 'src/index.html'), path.join(out, 'index.html'))
fs.copyFileSync(path.join(here, 'src/base.css'), path.join(out, 'base.css'))
for (const file of files.filter((f) => /\.(png|jpe?g|svg|gif|ttf|woff2?)$/.test(f))) {
  fs.mkdirSync(path.dirname(path.join(out, file)), { recursive: true })
  fs.copyFileSync(path.join(source, file), path.join(out, file))
}
await esbuild.build({
  entryPoints: [path.join(here, 'src/main.js')],
  bundle: true,
  outfile: path.join(out, 'runtime.js'),
  format: 'iife',
  target: 'es2020',
  define: { 'process.env.NODE_ENV': '"development"' },
})
const components = Object.values(json).filter((config) => config.component).length
console.log(`packed ${pages.length} pages, ${components} components, ${templates.warnings} warnings in ${Date.now() - started} ms`)
process.exit(templates.warnings ? 1 : 0)
