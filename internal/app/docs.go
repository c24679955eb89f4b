package app

import "net/http"

// The documentation page draws /openapi.json itself: a renderer from elsewhere would need the network and a laxer policy.
const docsHTML = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,"><title>亮车 API</title>
<style>body{font:15px/1.6 -apple-system,"PingFang SC","Noto Sans CJK SC",sans-serif;margin:0;color:#12262b;background:#f4f6f7}
main{max-width:960px;margin:0 auto;padding:32px 20px}h1{font-size:24px}h2{font-size:18px;margin:32px 0 8px}
details{background:#fff;border-radius:10px;margin:6px 0;padding:0 16px}summary{padding:12px 0;cursor:pointer;display:flex;gap:12px;align-items:baseline;flex-wrap:wrap}
b{font:600 12px/1 monospace;width:56px;color:#0b7a75}code{font:13px/1.5 monospace;overflow-wrap:anywhere}em{color:#56666c;font-style:normal}
small{margin-left:auto;color:#56666c}pre{background:#f4f6f7;padding:12px;border-radius:8px;overflow:auto;font-size:12px}input{font:inherit;padding:8px 12px;width:100%;box-sizing:border-box;border:1px solid #cfd8dc;border-radius:8px}</style>
</head><body><main><h1>亮车 API</h1><p>机器可读的版本：<a href="/openapi.json">/openapi.json</a></p><input id="q" placeholder="筛选：路径、名称、权限"><div id="list"></div></main><script src="/docs.js"></script></body></html>`

const docsJS = `(async () => {
  const doc = await (await fetch('/openapi.json')).json()
  const list = document.getElementById('list'), q = document.getElementById('q')
  const el = (tag, text) => { const e = document.createElement(tag); if (text) e.textContent = text; return e }
  const schema = (s, depth) => {
    if (!s) return null
    if (s.$ref) { const n = s.$ref.split('/').pop(); return depth > 3 ? n : schema(doc.components.schemas[n], depth + 1) }
    if (s.type === 'array') return [schema(s.items, depth + 1)]
    if (s.properties) { const o = {}; for (const [k, v] of Object.entries(s.properties)) o[k + ((s.required || []).includes(k) ? '' : '?')] = schema(v, depth + 1); return o }
    return s.enum ? s.enum.join(' | ') : s.format || s.type || 'any'
  }
  const draw = () => {
    list.textContent = ''
    const groups = {}
    for (const [path, ops] of Object.entries(doc.paths)) for (const [method, op] of Object.entries(ops)) {
      const line = [method, path, op.operationId, op.summary, op['x-permission']].join(' ').toLowerCase()
      if (op.operationId && line.includes(q.value.toLowerCase())) (groups[(op.tags || ['other'])[0]] ||= []).push([method, path, op])
    }
    for (const [tag, ops] of Object.entries(groups)) {
      list.append(el('h2', tag))
      for (const [method, path, op] of ops) {
        const d = el('details'), s = el('summary')
        s.append(el('b', method.toUpperCase()), el('code', path), el('em', op.summary || ''), el('small', [op['x-actor'], op['x-permission'], op['x-idempotent'] ? 'Idempotency-Key' : ''].filter(Boolean).join(' · ')))
        d.append(s)
        d.addEventListener('toggle', () => {
          if (!d.open || d.children.length > 1) return
          const body = op.requestBody && op.requestBody.content['application/json']
          const ok = Object.entries(op.responses).find(([k]) => k.startsWith('2'))
          if (op.parameters) d.append(el('p', '参数'), el('pre', op.parameters.map((p) => p.in + ' ' + p.name + (p.required ? '' : '?')).join('\n')))
          if (body) d.append(el('p', '请求'), el('pre', JSON.stringify(schema(body.schema, 0), null, 2)))
          if (ok && ok[1].content) d.append(el('p', '成功 ' + ok[0]), el('pre', JSON.stringify(schema(ok[1].content['application/json'].schema, 0), null, 2)))
        })
        list.append(d)
      }
    }
  }
  q.addEventListener('input', draw); draw()
})()
`

func docsPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(docsHTML))
}

func docsScript(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	_, _ = w.Write([]byte(docsJS))
}
