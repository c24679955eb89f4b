package httpapi_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
)

// door lets in whoever it is told to.
type door struct {
	shut    atomic.Bool
	perms   []string
	byStore atomic.Bool
}

func (d *door) Authenticate(_ context.Context, kind actor.Kind, token string) (actor.Actor, error) {
	if d.shut.Load() || token != "good" || kind != actor.Staff {
		return actor.Actor{}, fault.ErrExpired
	}
	a := actor.Actor{Kind: actor.Staff, ID: 7, Permissions: d.perms}
	if !d.byStore.Load() {
		a.Stores = []int64{1}
	}
	return a, nil
}

type streamInput struct {
	StoreID int64 `query:"storeId" required:"true" minimum:"1"`
}

// streaming runs a server with one stream whose feed the test fills. left is closed when the feed's context ends.
func streaming(t *testing.T, d *door) (url string, feed chan httpapi.Event, left chan struct{}, r *httpapi.Router) {
	t.Helper()
	feed, left = make(chan httpapi.Event), make(chan struct{})
	r = httpapi.New(httpapi.Options{Title: "t", Version: "0", Log: slog.New(slog.DiscardHandler), Auth: d, Heartbeat: 20 * time.Millisecond})
	httpapi.Stream(r, httpapi.Op{ID: "consoleWatch", Method: http.MethodGet, Path: "/api/console/watch", Who: httpapi.Console, Permission: "see", Summary: "Watch"},
		func(ctx context.Context, in *streamInput) (httpapi.Feed, error) {
			still := func(ctx context.Context) error {
				if !actor.From(ctx).InStore(in.StoreID) {
					return fault.ErrStore
				}
				return nil
			}
			if err := still(ctx); err != nil {
				return httpapi.Feed{}, err
			}
			go func() { <-ctx.Done(); close(left) }()
			return httpapi.Feed{Events: feed, Still: still}, nil
		})
	srv := httptest.NewUnstartedServer(r.Echo)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond // an answer that ends must be quick; a stream lives on
	srv.Config.RegisterOnShutdown(r.EndStreams)
	srv.Start()
	t.Cleanup(func() {
		if err := srv.Config.Shutdown(context.Background()); err != nil {
			t.Errorf("a stream kept the server from stopping: %v", err)
		}
	})
	return srv.URL + "/api/console/watch", feed, left, r
}

func watch(t *testing.T, url, token string) (*http.Response, *bufio.Scanner) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: httpapi.ConsoleCookie, Value: token})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res, bufio.NewScanner(res.Body)
}

// line reads on until a line begins with prefix; "" when the stream ended first.
func line(sc *bufio.Scanner, prefix string) string {
	for sc.Scan() {
		if strings.HasPrefix(sc.Text(), prefix) {
			return sc.Text()
		}
	}
	return ""
}

func ended(t *testing.T, what string, left chan struct{}, sc *bufio.Scanner) {
	t.Helper()
	select {
	case <-left:
	case <-time.After(5 * time.Second):
		t.Fatalf("%s: the stream goes on", what)
	}
	for sc.Scan() {
	}
}

func TestStreamSendsAtOnceAndLives(t *testing.T) {
	d := &door{perms: []string{"see"}}
	url, feed, left, r := streaming(t, d)
	res, sc := watch(t, url+"?storeId=1", "good")
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") || res.Header.Get("X-Accel-Buffering") != "no" ||
		res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Content-Security-Policy") == "" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	time.Sleep(250 * time.Millisecond) // longer than the server's limits for an answer
	if got := line(sc, ": alive"); got == "" {
		t.Fatal("no heartbeat")
	}
	feed <- httpapi.Event{Name: "changed\r\nid: 1", Data: map[string]any{"text": "一\n二", "n": 3}}
	if got := line(sc, "event:"); got != "event: changedid: 1" {
		t.Errorf("a name that breaks the line: %q", got)
	}
	if got := line(sc, "data:"); got != `data: {"n":3,"text":"一\n二"}` {
		t.Errorf("data: %q", got)
	}
	feed <- httpapi.Event{Name: "changed", Data: 2}
	if got := line(sc, "data:"); got != "data: 2" {
		t.Errorf("data: %q", got)
	}
	r.EndStreams()
	ended(t, "the server stops", left, sc)
	if res, _ := watch(t, url+"?storeId=1", "good"); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a stream on a server that stops: %d", res.StatusCode)
	}
}

func TestStreamEndsWithItsSession(t *testing.T) {
	for name, end := range map[string]func(*door){
		"session": func(d *door) { d.shut.Store(true) },
		"store":   func(d *door) { d.byStore.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			d := &door{perms: []string{"see"}}
			url, _, left, _ := streaming(t, d)
			_, sc := watch(t, url+"?storeId=1", "good")
			if line(sc, ": alive") == "" {
				t.Fatal("no heartbeat")
			}
			end(d)
			ended(t, name, left, sc)
		})
	}
	t.Run("client", func(t *testing.T) {
		url, _, left, _ := streaming(t, &door{perms: []string{"see"}})
		res, sc := watch(t, url+"?storeId=1", "good")
		if line(sc, ": alive") == "" {
			t.Fatal("no heartbeat")
		}
		res.Body.Close()
		ended(t, "client", left, sc)
	})
	t.Run("feed", func(t *testing.T) {
		url, feed, left, _ := streaming(t, &door{perms: []string{"see"}})
		_, sc := watch(t, url+"?storeId=1", "good")
		close(feed)
		ended(t, "feed", left, sc)
	})
}

func TestStreamGuardsItsDoor(t *testing.T) {
	for _, c := range []struct {
		name, query, token string
		perms              []string
		status             int
		code               string
	}{
		{"nobody", "?storeId=1", "bad", []string{"see"}, 401, "session.expired"},
		{"no permission", "?storeId=1", "good", nil, 403, "permission.denied"},
		{"another store", "?storeId=2", "good", []string{"see"}, 403, "permission.store"},
		{"no store", "", "good", []string{"see"}, 422, "request.invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, _, _, _ := streaming(t, &door{perms: c.perms})
			res, _ := watch(t, url+c.query, c.token)
			b, _ := io.ReadAll(res.Body)
			if res.StatusCode != c.status || !strings.Contains(string(b), c.code) || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
				t.Errorf("%d %s %s", res.StatusCode, res.Header.Get("Content-Type"), b)
			}
		})
	}
}
