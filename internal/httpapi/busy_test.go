package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/liangche/liangche/internal/httpapi"
)

// Behind as many operations as may be under way the next is refused at once, in words; when one is done there is room again.
func TestOneTooManyIsRefusedAtOnce(t *testing.T) {
	const most = 3
	r := httpapi.New(httpapi.Options{Title: "t", Version: "0", Log: slog.New(slog.DiscardHandler), MaxBusy: most})
	inside, open, gone := make(chan struct{}), make(chan struct{}), make(chan struct{}, most+1)
	httpapi.Register(r, httpapi.Op{ID: "ownerWait", Method: http.MethodGet, Path: "/api/owner/wait", Who: httpapi.Public, Summary: "Wait"},
		func(context.Context, *httpapi.None) (httpapi.None, error) {
			inside <- struct{}{}
			<-open
			return httpapi.None{}, nil
		})
	get := func() *httptest.ResponseRecorder {
		res := httptest.NewRecorder()
		r.Echo.ServeHTTP(res, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/owner/wait", nil))
		return res
	}
	var all sync.WaitGroup
	for range most {
		all.Go(func() {
			if res := get(); res.Code != http.StatusOK {
				t.Errorf("%d %s", res.Code, res.Body)
			}
			gone <- struct{}{}
		})
		<-inside
	}
	for range 2 {
		if res := get(); res.Code != http.StatusServiceUnavailable || res.Header().Get("Retry-After") == "" || !strings.Contains(res.Body.String(), `"code":"unavailable"`) {
			t.Errorf("%d %v %s", res.Code, res.Header(), res.Body)
		}
	}
	open <- struct{}{} // one leaves, another comes
	<-gone
	all.Go(func() {
		if res := get(); res.Code != http.StatusOK {
			t.Errorf("%d %s", res.Code, res.Body)
			inside <- struct{}{}
		}
	})
	<-inside
	close(open)
	all.Wait()
}
