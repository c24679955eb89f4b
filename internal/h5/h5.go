// Package h5 embeds the built H5 app of owners and staff and serves it.
//
// Model: dist holds the production build of miniprogram/ for the browser; it is copied here by `make build` and is empty in a
// plain checkout. Owns: nothing. Invariants: a binary without the build still starts and says how to build it; file names
// with a content hash are cached for ever, index.html never.
package h5

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// Handler serves the app below prefix. script, when not empty, is the address of a script that index.html loads first: the demo's
// stand-in for what WeChat's browser provides.
func Handler(prefix, script string) http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the directory is embedded by the line above
	}
	return Serve(files, prefix, script, Missing)
}

// Serve serves a built single-page app from files below prefix; missing is shown when there is no index.html.
func Serve(files fs.FS, prefix, script, missing string) http.Handler {
	index, err := fs.ReadFile(files, "index.html")
	if err == nil && script != "" {
		tag := []byte(`<script src="` + script + `"></script>`)
		index = bytes.Replace(index, []byte("<head>"), append([]byte("<head>"), tag...), 1)
	}
	static := http.StripPrefix(prefix, http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), strings.TrimSuffix(prefix, "/"))
		name = strings.TrimPrefix(name, "/")
		if name != "" && name != "index.html" {
			if info, err := fs.Stat(files, name); err == nil && !info.IsDir() && name != ".gitkeep" {
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
				static.ServeHTTP(w, r)
				return
			}
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		if index == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(missing))
			return
		}
		_, _ = w.Write(index)
	})
}

// Missing is the page of a binary that was built without its front ends.
const Missing = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>页面尚未构建</title></head>
<body style="font:16px/1.8 sans-serif;max-width:32em;margin:15vh auto;padding:0 24px;color:#12262b"><h1 style="font-size:22px">页面还没有构建</h1>
<p>这个程序是在没有前端页面的情况下编译的。装好 Node 后，在源码目录运行：</p><pre style="background:#f2f5f7;padding:12px;border-radius:8px">make build</pre><p>它会构建页面并重新编译程序。接口现在已经可用。</p></body></html>`
