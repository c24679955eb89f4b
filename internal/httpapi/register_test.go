package httpapi_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
)

// Whoever asks for what they may not have is in the log, once, by id and address.
func TestRefusalsAreLogged(t *testing.T) {
	var log bytes.Buffer
	d := &door{perms: []string{"see"}}
	r := httpapi.New(httpapi.Options{Title: "t", Version: "0", Log: slog.New(slog.NewTextHandler(&log, nil)), Auth: d})
	op := func(id, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: "/api/staff/" + id, Who: httpapi.Staff, Permission: permission, Summary: "x"}
	}
	httpapi.Register(r, op("staffSeen", "see"), func(context.Context, *httpapi.None) (httpapi.None, error) { return httpapi.None{}, nil })
	httpapi.Register(r, op("staffHidden", "touch"), func(context.Context, *httpapi.None) (httpapi.None, error) { return httpapi.None{}, nil })
	httpapi.Register(r, op("staffElsewhere", "see"), func(context.Context, *httpapi.None) (httpapi.None, error) {
		return httpapi.None{}, fault.ErrStore
	})
	for path, want := range map[string]string{"staffSeen": "", "staffHidden": "code=permission.denied", "staffElsewhere": "code=permission.store"} {
		log.Reset()
		req := httptest.NewRequest(http.MethodGet, "/api/staff/"+path, nil)
		req.Header.Set("Authorization", "Bearer good")
		w := httptest.NewRecorder()
		r.Echo.ServeHTTP(w, req)
		line := log.String()
		if want == "" && (line != "" || w.Code != http.StatusOK) || want != "" && (strings.Count(line, "\n") != 1 || !strings.Contains(line, want+" request=") ||
			!strings.Contains(line, "actor=staff id=7 ip=192.0.2.1") || w.Code != http.StatusForbidden) {
			t.Errorf("%s: %d, log %q", path, w.Code, line)
		}
	}
}
