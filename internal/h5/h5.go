// Package h5 embeds the built H5 app of owners and staff.
//
// Model: dist holds the production build of miniprogram/ for the browser; `make build` copies it here, a plain checkout has none. Owns:
// nothing. Invariants: a binary without the build still starts and says how to build it.
package h5

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/liangche/liangche/internal/site"
)

//go:embed all:dist
var dist embed.FS

const unbuilt = `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>亮车</title>
<style>body{font:16px/1.7 system-ui,sans-serif;color:#1f2933;background:#f5f7f8;margin:0}main{max-width:40rem;margin:12vh auto;padding:2rem;background:#fff;
border-radius:12px}h1{font-size:1.3rem;margin:0 0 .5rem}pre{background:#f1f4f5;padding:1rem;border-radius:8px;overflow-x:auto}</style></head>
<body><main><h1>车主页面还没有构建</h1><p>服务已经正常运行，只是这个程序里还没有网页。安装 Node 之后，在源码目录执行：</p>
<pre>make build</pre><p>然后重新启动，再打开这个页面。</p>
<p lang="en">The pages are not built into this program yet. With Node installed, run the command above and start again.</p></main></body></html>
`

// Handler serves the app below base. script, when not empty, is the address of a script that the page loads first: the demo's stand-in
// for what WeChat's browser provides.
func Handler(base, script string) http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the directory is embedded by the line above
	}
	return site.Handler(base, files, script, unbuilt)
}
