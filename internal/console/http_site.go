package console

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/site"
)

//go:embed all:web/dist
var dist embed.FS

// unbuilt is shown at /console/ while there is no build of web/.
const unbuilt = `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>亮车 · 管理台</title>
<style>body{font:16px/1.7 system-ui,sans-serif;color:#1f2933;background:#f5f7f8;margin:0}main{max-width:40rem;margin:12vh auto;padding:2rem;background:#fff;
border-radius:12px}h1{font-size:1.3rem;margin:0 0 .5rem}pre{background:#f1f4f5;padding:1rem;border-radius:8px;overflow-x:auto}</style></head>
<body><main><h1>管理台还没有构建</h1><p>服务已经正常运行，只是这个程序里还没有管理台的网页。安装 Node 之后，在源码目录执行：</p>
<pre>make build</pre><p>然后重新启动，再打开这个页面。</p>
<p lang="en">The console's pages are not built into this program yet. With Node installed, run the command above and start again.</p></main></body></html>
`

// pages serves the built console below /console/.
func (s *Service) pages(r *httpapi.Router) {
	files, err := fs.Sub(dist, "web/dist")
	if err != nil { // cannot happen: the folder is embedded
		panic(err)
	}
	built := site.Handler("/console/", files, "", unbuilt)
	for _, m := range []string{http.MethodGet, http.MethodHead} {
		r.Raw(m, "/console", http.RedirectHandler("/console/", http.StatusFound))
		r.Raw(m, "/console/*", built)
	}
}
