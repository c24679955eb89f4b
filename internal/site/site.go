// Package site serves a built single-page application from memory.
//
// Model: a site is a folder of files below a base path with an index.html; text is sent compressed, hashed assets are cached for ever.
// Owns: nothing. Invariants: no file outside the folder and none whose name begins with a dot is ever served; while index.html is
// missing every page says how to build it.
package site

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

// Handler serves a built single-page application below base. Files below assets/ carry a hash in their name and are kept
// by browsers for ever; everything else is asked for again. Text is sent compressed. While index.html is missing every
// page says missing. script, when not empty, is the address of a script that index.html loads before its own.
func Handler(base string, files fs.FS, script, missing string) http.Handler {
	s := &site{base: base, files: files, script: script, missing: missing, ready: map[string]*asset{}}
	return http.HandlerFunc(s.serve)
}

type site struct {
	base    string
	files   fs.FS
	script  string
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
	if name == "index.html" && s.script != "" {
		body = bytes.Replace(body, []byte("<head>"), []byte(`<head><script src="`+s.script+`"></script>`), 1)
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
