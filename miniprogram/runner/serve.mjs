// serve.mjs <port> [--api http://127.0.0.1:8080] [--dir dist]
// Serves a packed mini-program. /api and /hooks go to a real running server, so that wx.request stays on one origin.
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.json': 'application/json',
  '.png': 'image/png', '.svg': 'image/svg+xml', '.ttf': 'font/ttf',
}
const here = path.dirname(new URL(import.meta.url).pathname)

function proxy(request, response, target) {
  const url = new URL(request.url, target)
  const upstream = http.request(url, { method: request.method, headers: { ...request.headers, host: url.host } }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
  })
  upstream.on('error', () => response.writeHead(502).end())
  request.pipe(upstream)
}

function sendFile(response, dir, pathname) {
  const file = path.join(dir, path.normalize(pathname === '/' ? '/index.html' : decodeURIComponent(pathname)))
  if (!file.startsWith(dir) || !fs.existsSync(file) || fs.statSync(file).isDirectory()) return response.writeHead(404).end()
  response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' })
  fs.createReadStream(file).pipe(response)
}

/** `api` is an origin to pass requests on to, or a function (request, response, body) that answers them. */
export function startServer({ dir = path.join(here, 'dist'), port = 0, api }) {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    if (!/^\/(api|hooks|media)\//.test(pathname)) return sendFile(response, dir, pathname)
    if (typeof api === 'string') return proxy(request, response, api)
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => (api ? api(request, response, body) : response.writeHead(404).end()))
  })
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      resolve({ origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() })
    })
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2)
  const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
  const dir = option('--dir') && path.resolve(option('--dir'))
  const { origin } = await startServer({ port: Number(args[0]) || 0, api: option('--api'), ...(dir ? { dir } : {}) })
  console.log(origin)
}
