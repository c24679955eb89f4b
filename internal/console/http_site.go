package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/liangche/liangche/internal/httpapi"
)

//go:embed all:web/dist
var dist embed.FS

// unbuilt is shown at /console/ while there is no build of web/.
const unbuilt = `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>亮车 · 管理台</title>
<style>body{font:16px/1.7 system-ui,sans-serif;color:#1f2933;background:#f5f7f8;margin:0}main{max-width:40rem;margin:12vh auto;padding:2rem;background:#fff;
border-radius:12px}h1{font-size:1.3rem;margin:0 0 .5rem}pre{background:#f1f4f5;padding:1rem;border-radius:8px;overflow-x:auto}</style></head>
<body><main><h1>管理台还没有构建</h1><p>服务已经正常运行，只是这个程序里还没有管理台的网页。安装 Node 之后，在源码目录执行：</p>
<pre>npm --prefix internal/console/web ci
npm --prefix internal/console/web run build
go build ./cmd/liangche</pre><p>然后重新启动，再打开这个页面。</p>
<p lang="en">The console's pages are not built into this program yet. With Node installed, run the commands above and start again.</p></main></body></html>
`

// pages serves the built console below /console/.
func (s *Service) pages(r *httpapi.Router) {
	files, err := fs.Sub(dist, "web/dist")
	if err != nil { // cannot happen: the folder is embedded
		panic(err)
	}
	site := Site("/console/", files, unbuilt)
	for _, m := range []string{http.MethodGet, http.MethodHead} {
		r.Raw(m, "/console", http.RedirectHandler("/console/", http.StatusFound))
		r.Raw(m, "/console/*", site)
	}
}

// Site serves a built single-page application below base. Files below assets/ carry a hash in their name and are kept
// by browsers for ever; everything else is asked for again. Text is sent compressed. While index.html is missing every
// page says missing.
func Site(base string, files fs.FS, missing string) http.Handler {
	s := &site{base: base, files: files, missing: missing, ready: map[string]*asset{}}
	return http.HandlerFunc(s.serve)
}

type site struct {
	base    string
	files   fs.FS
	missing string
	mu      sync.Mutex
	ready   map[string]*asset // by name; the files never change while the process runs
}

type asset struct {
	body, zipped []byte // zipped nil when it would not be smaller
	kind, etag   string
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), strings.TrimSuffix(s.base, "/"))
	name = strings.TrimPrefix(name, "/")
	if name == "" {
		name = "index.html"
	}
	a, err := s.asset(name)
	if err != nil && name == "index.html" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(s.missing))
		return
	}
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Etag", a.etag)
	h.Add("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.body
	if a.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.zipped
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func (s *site) asset(name string) (*asset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.ready[name]; a != nil {
		return a, nil
	}
	if strings.HasPrefix(path.Base(name), ".") || strings.HasPrefix(name, ".") {
		return nil, fs.ErrNotExist // build manifests and the like are nobody's business
	}
	body, err := fs.ReadFile(s.files, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	a := &asset{body: body, kind: mime.TypeByExtension(path.Ext(name)), etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
	if a.kind == "" {
		a.kind = "application/octet-stream"
	}
	if text(a.kind) && len(body) > 512 {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
		_, _ = z.Write(body)                                  // a buffer takes everything
		_ = z.Close()
		if b.Len() < len(body) {
			a.zipped = b.Bytes()
		}
	}
	s.ready[name] = a
	return a, nil
}

func text(kind string) bool {
	for _, p := range []string{"text/", "application/javascript", "application/json", "image/svg+xml", "application/wasm"} {
		if strings.HasPrefix(kind, p) {
			return true
		}
	}
	return false
}
