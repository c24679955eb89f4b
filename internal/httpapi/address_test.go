package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/liangche/liangche/internal/httpapi"
)

type whereFrom struct {
	IP string `json:"ip"`
}

// What a client writes into X-Forwarded-For counts only where a proxy is trusted, and then only what the proxy appended.
func TestClientAddress(t *testing.T) {
	for _, c := range []struct {
		trust     bool
		forwarded []string
		want      string
	}{
		{false, nil, "192.0.2.1"},
		{false, []string{"10.0.0.1"}, "192.0.2.1"},
		{true, nil, "192.0.2.1"},
		{true, []string{"203.0.113.9"}, "203.0.113.9"},
		{true, []string{"127.0.0.1, 203.0.113.9"}, "203.0.113.9"},
		{true, []string{"2001:db8::7"}, "2001:db8::7"},
		{true, []string{"not an address"}, "192.0.2.1"},
		{true, []string{"203.0.113.9, "}, "192.0.2.1"},
	} {
		r := httpapi.New(httpapi.Options{Title: "t", Version: "0", Log: slog.New(slog.DiscardHandler), Auth: &door{}, TrustProxy: c.trust})
		var got string
		httpapi.Register(r, httpapi.Op{ID: "ownerWhere", Method: http.MethodGet, Path: "/api/owner/where", Who: httpapi.Public, Summary: "x"},
			func(ctx context.Context, _ *httpapi.None) (whereFrom, error) {
				got = httpapi.ClientIP(ctx)
				return whereFrom{got}, nil
			})
		req := httptest.NewRequest(http.MethodGet, "/api/owner/where", nil)
		for _, f := range c.forwarded {
			req.Header.Add("X-Forwarded-For", f)
		}
		r.Echo.ServeHTTP(httptest.NewRecorder(), req)
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
