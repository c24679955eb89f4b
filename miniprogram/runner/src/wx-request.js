import { sim } from './sim.js'

/** wx.request through the page's own origin; serve.mjs passes /api on to a real server or to a stub. */
export function request(options) {
  const method = (options.method ?? 'GET').toUpperCase()
  sim.calls.push(['request', method, options.url])
  const headers = new Headers(options.header ?? {})
  const url = new URL(options.url, location.origin)
  let body
  if (method === 'GET' && options.data && typeof options.data === 'object') {
    for (const [key, value] of Object.entries(options.data)) url.searchParams.set(key, value)
  } else if (options.data !== undefined) {
    body = typeof options.data === 'string' ? options.data : JSON.stringify(options.data)
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
  }
  const abort = new AbortController()
  const timer = options.timeout ? setTimeout(() => abort.abort(), options.timeout) : 0

  const finish = (kind, result) => {
    clearTimeout(timer)
    options[kind]?.(result)
    options.complete?.(result)
  }
  async function run() {
    if (sim.offline) throw new Error('offline')
    const response = await fetch(url, { method, headers, body, signal: abort.signal })
    const text = await response.text()
    let data = text
    try {
      data = JSON.parse(text)
    } catch {
      // Not JSON: WeChat hands the text over as it is.
    }
    return { statusCode: response.status, data, header: Object.fromEntries(response.headers), cookies: [], errMsg: 'request:ok' }
  }
  run().then(
    (result) => finish('success', result),
    (error) => finish('fail', { errMsg: `request:fail ${error.name === 'AbortError' ? 'timeout' : error.message}` }),
  )
  return { abort: () => abort.abort(), onHeadersReceived() {}, offHeadersReceived() {}, onChunkReceived() {} }
}

/** wx.uploadFile: a file that chooseMedia gave, as a form. */
export function uploadFile(options) {
  sim.calls.push(['uploadFile', options.url, options.formData])
  const finish = (kind, result) => {
    options[kind]?.(result)
    options.complete?.(result)
  }
  async function run() {
    if (sim.offline) throw new Error('offline')
    const form = new FormData()
    for (const [key, value] of Object.entries(options.formData ?? {})) form.append(key, value)
    form.append(options.name, await (await fetch(options.filePath)).blob(), 'photo.jpg')
    const response = await fetch(new URL(options.url, location.origin), { method: 'POST', headers: options.header ?? {}, body: form })
    return { statusCode: response.status, data: await response.text(), errMsg: 'uploadFile:ok' }
  }
  run().then(
    (result) => finish('success', result),
    (error) => finish('fail', { errMsg: `uploadFile:fail ${error.message}` }),
  )
  return { abort() {}, onProgressUpdate() {}, offProgressUpdate() {} }
}
