import * as esbuild from 'esbuild'

/** Browser globals that WeChat's JavaScript engine does not have: every module sees them as undefined. */
const HIDDEN = [
  'window', 'document', 'navigator', 'location', 'history', 'localStorage', 'sessionStorage', 'fetch', 'XMLHttpRequest', 'Headers',
  'Request', 'Response', 'URL', 'URLSearchParams', 'FormData', 'Blob', 'WebSocket', 'self', 'parent', 'top', 'frames',
  'HTMLElement', 'Element', 'Node', 'Image', 'atob', 'btoa', 'AbortController', 'TextEncoder', 'TextDecoder', 'crypto',
  'performance', 'structuredClone', 'queueMicrotask', 'requestAnimationFrame', 'globalThis',
]
const GIVEN = ['require', 'module', 'exports', 'wx', 'global', 'App', 'Page', 'Component', 'Behavior', 'getApp', 'getCurrentPages']

const isEsm = (code) => /^\s*(import|export)\b/m.test(code) || /[;}]\s*(import|export)[\s{*]/.test(code)

/** npm packages may ship ES modules: WeChat's tools turn them into CommonJS on upload. */
const toCommonJs = (code) =>
  isEsm(code) ? esbuild.transformSync(code, { format: 'cjs', target: 'es2019' }).code : code

/** One script that holds every module of the mini-program as a function, by path without ".js". */
export function bundleModules(files, read) {
  const params = [...GIVEN, ...HIDDEN].join(', ')
  const parts = files
    .filter((file) => file.endsWith('.js'))
    .map((file) => {
      const name = JSON.stringify(file.replace(/\.js$/, ''))
      return `${name}: function (${params}) {\n(function () {\n${toCommonJs(read(file))}\n}).call(this);\n},`
    })
  return `window.__MODS__ = {\n${parts.join('\n')}\n};`
}
