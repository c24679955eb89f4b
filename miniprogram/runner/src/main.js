// Starts a packed mini-program: registers its components with glass-easel, loads its modules, opens its first page.
import { MiniProgramEnv, component, glassEasel } from 'glass-easel-miniprogram-adapter'
import { createBackend } from './backend.js'
import { installEvents } from './events.js'
import { Pages } from './pages.js'
import { logError, sim } from './sim.js'
import { createWx } from './wx.js'

const { app, json, pages: paths } = window.__CONF__

glassEasel.globalOptions.throwGlobalError = false
glassEasel.globalOptions.useMethodCallerListeners = true
glassEasel.globalOptions.writeFieldsToNode = false
glassEasel.addGlobalErrorListener?.((error) => logError(error))
glassEasel.addGlobalWarningListener?.((message) => {
  sim.log.push(`warning: ${message}`)
  return false
})

const env = new MiniProgramEnv()
const space = env.createCodeSpace('app', true)
const backend = env.associateBackend(createBackend())
installEvents()

/** glass-easel leaves `ready` to its host: fired child first after each batch of attached components. */
function fireReady() {
  let waiting = []
  const behavior = space.getComponentSpace().define().lifetime('attached', function () {
    if (!waiting.length) {
      queueMicrotask(() => {
        const batch = waiting.reverse()
        waiting = []
        for (const element of batch) {
          try {
            element.triggerLifetime('ready', [])
          } catch (error) {
            logError(error)
          }
        }
      })
    }
    waiting.push(this._$ ?? this)
  })
  space.setOverallBehavior(behavior.registerBehavior())
}
fireReady()

const pages = new Pages({ app, json, paths }, (path) => backend.createRoot('view', space, path))
const wx = createWx(pages)
sim.wx = wx

// ---- modules
const cache = {}
const globalObject = {}
let definition = null
let theApp = null

function resolve(from, target) {
  const base = target.startsWith('/') ? target : `${from.split('/').slice(0, -1).join('/')}/${target}`
  const out = []
  for (const part of base.split('/')) {
    if (part === '..') out.pop()
    else if (part && part !== '.') out.push(part)
  }
  return out.join('/').replace(/\.js$/, '')
}
function load(path) {
  if (cache[path]) return cache[path].exports
  const name = window.__MODS__[path] ? path : `${path}/index`
  const run = window.__MODS__[name]
  if (!run) throw new Error(`module not found: ${path}`)
  const module = (cache[path] = { exports: {} })
  run.call(
    undefined,
    (target) => load(resolve(name, target)),
    module,
    module.exports,
    wx,
    globalObject,
    (options) => {
      theApp = options
      options.globalData ??= {}
    },
    (options) => definition.Page(options),
    (options) => definition.Component(options),
    (options) => space.behavior().definition(options).register(),
    () => theApp,
    () => pages.stack.map((page) => page.inst),
  )
  return module.exports
}

function registerComponents() {
  for (const [path, config] of Object.entries(json)) {
    if (path === 'app' || (!config.component && !paths.includes(path))) continue
    const usingComponents = { ...app.usingComponents, ...config.usingComponents }
    for (const name in usingComponents) usingComponents[name] = `/${resolve(path, usingComponents[name])}`
    space.addComponentStaticConfig(path, {
      component: Boolean(config.component),
      usingComponents,
      componentGenerics: config.componentGenerics,
      styleIsolation: 'shared',
    })
    const content = window.__TMPL__[path]
    if (content) space.addCompiledTemplate(path, { groupList: window.__TMPL__, content, fallbackListenerOnNativeNode: true })
  }
}
function define(path) {
  space.componentEnv(path, (current) => {
    definition = current
    try {
      load(path)
    } catch (error) {
      logError(error)
    }
    definition = null
  })
}

/** Counts what would cross the bridge between logic and view on a phone. */
function countSetData() {
  const proto = component?.ComponentCaller?.prototype
  if (!proto) return
  const original = proto.setData
  proto.setData = function (data, done) {
    const bytes = JSON.stringify(data ?? {}).length
    sim.setData.count++
    sim.setData.bytes += bytes
    sim.setData.largest = Math.max(sim.setData.largest, bytes)
    return original.call(this, data, done)
  }
  // Keeps Vue's deep watchers out of the host's internals.
  Object.defineProperty(proto, '__v_skip', { value: true })
}

try {
  countSetData()
  registerComponents()
  load('app')
  for (const path of Object.keys(json)) if (path !== 'app' && json[path].component) define(path)
  for (const path of paths) define(path)
  theApp?.onLaunch?.(pages.launch)
  theApp?.onShow?.(pages.launch)
  const first = pages.open(location.hash.slice(1) || `/${paths[0]}`)
  if (pages.tabs.includes(first.path)) pages.kept[first.path] = first
  sim.ready = true
} catch (error) {
  logError(error)
}
