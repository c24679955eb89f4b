package wxsandbox

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

//go:embed web
var webFS embed.FS

// pages holds the parsed templates of the phone, the sheets and the OAuth pages.
type pages struct{ t *template.Template }

func loadPages() (*pages, error) {
	t, err := template.New("").Funcs(template.FuncMap{"yuan": yuan}).ParseFS(webFS, "web/*.html")
	if err != nil {
		return nil, fmt.Errorf("wxsandbox: templates: %w", err)
	}
	return &pages{t: t}, nil
}

// render writes a page under the sandbox's own strict policy. Every template sees Base, the mount path.
func (p *pages) render(s *Sandbox, w http.ResponseWriter, status int, name string, data map[string]any) {
	data["Base"] = s.base
	var b bytes.Buffer
	if err := p.t.ExecuteTemplate(&b, name, data); err != nil {
		s.o.Logger.Error("wxsandbox: page", "name", name, "error", err)
		http.Error(w, "page failed", http.StatusInternalServerError)
		return
	}
	s.pageHeaders(w.Header())
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func (s *Sandbox) pageHeaders(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	ancestors := strings.Join(append([]string{"'self'"}, s.o.FrameAncestors...), " ")
	h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors "+ancestors)
}

// asset serves one embedded file.
func asset(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		b, err := webFS.ReadFile("web/" + name)
		if err != nil {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(b)
	}
}
