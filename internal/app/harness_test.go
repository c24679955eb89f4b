package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// The tests of this package start the real thing, with the WeChat sandbox in place of WeChat, and talk to it over HTTP only. One system
// runs at a time: the SDK of the platform API keeps its HTTP client in a package variable.

var credentials = sync.OnceValues(func() ([]byte, error) {
	c, err := wxsandbox.NewCredentials(clock.System().Now())
	if err != nil {
		return nil, err
	}
	return json.Marshal(c)
})

// system is a running Liangche.
type system struct {
	*app.Demo
	t    testing.TB
	clk  *clock.Manual
	dir  string
	cfg  db.Config
	http *http.Client
	log  *logBook
	seen seen
	stop func() error
	shop shopData
	boss caller
	keys atomic.Int64
	old  map[string]bool // goroutines that were there before
}

// logBook keeps what the server logs, so that a failing test can show it and others can search it for secrets.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}
func (l *logBook) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.buf.String() }

// start runs an empty system on a throw-away database until the test ends.
func start(t testing.TB, tune ...func(*app.DemoOptions)) *system {
	t.Helper()
	cred, err := credentials()
	if err != nil {
		t.Fatal(err)
	}
	s := &system{t: t, clk: clock.NewManual(clock.System().Now()), dir: t.TempDir(), cfg: dbtest.Config(t), log: &logBook{}}
	if err := os.WriteFile(filepath.Join(s.dir, "sandbox-credentials.json"), cred, 0o600); err != nil {
		t.Fatal(err)
	}
	s.http = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	o := app.DemoOptions{Listen: "127.0.0.1:0", Dir: s.dir, Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Out: io.Discard, Empty: true,
		Database: &s.cfg, Clock: s.clk,
		Sandbox: func(o *wxsandbox.Options) { o.NotifySpeedup = 300; o.Pay.RefundDelay = time.Millisecond }}
	for _, f := range tune {
		f(&o)
	}
	s.old = map[string]bool{}
	for id := range goroutines(t) {
		s.old[id] = true
	}
	s.run(o)
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("the system did not end cleanly: %v", err)
		}
		if s.Demo != nil {
			s.silent(t)
		}
		if t.Failed() && testing.Verbose() {
			t.Logf("server log:\n%s", s.log)
		}
	})
	return s
}

// run starts the system with its options and waits until it answers.
func (s *system) run(o app.DemoOptions) {
	s.t.Helper()
	ready := make(chan *app.Demo, 1)
	o.Ready = func(d *app.Demo) { ready <- d }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.RunDemo(ctx, o) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		s.http.CloseIdleConnections()
		return err
	})
	select {
	case s.Demo = <-ready:
	case err := <-ended:
		cancel()
		s.stop = func() error { return nil }
		s.t.Fatalf("the system did not start: %v", err)
	}
}

// signedIn is the owner with a new session of the mini-program.
func (o owner) signedIn() owner {
	o.s.t.Helper()
	o.token = o.s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": o.s.loginCode(o.p)}).s("session.accessToken")
	return o
}

// goroutines are the stacks of all goroutines by their header without the state.
func goroutines(t testing.TB) map[string]string {
	t.Helper()
	var b strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&b, 2); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, g := range strings.Split(b.String(), "\n\n") {
		id, _, _ := strings.Cut(g, " [")
		out[id] = g
	}
	return out
}

// sub runs a subtest on the system of the running test; the helpers fail the one that runs.
func (s *system) sub(name string, f func(*testing.T)) bool {
	parent := s.t.(*testing.T)
	return parent.Run(name, func(t *testing.T) {
		s.t = t
		defer func() { s.t = parent }()
		f(t)
	})
}

// chapter is a step of a story.
type chapter struct {
	name string
	tell func(*testing.T)
}

// tell tells a story: a step that fails ends it, because the rest stands on it.
func (s *system) tell(chapters ...chapter) {
	for _, c := range chapters {
		if !s.sub(c.name, c.tell) {
			s.t.(*testing.T).FailNow()
		}
	}
}

// key makes a fresh idempotency key.
func (s *system) key() string { return fmt.Sprintf("test-key-%08d", s.keys.Add(1)) }

// caller talks to the API as somebody.
type caller struct {
	s     *system
	token string
	id    int64 // staff account or member, where the test needs it
}

func (s *system) anonymous() caller { return caller{s: s} }

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
	what   string
}

// header sets one header of a request.
type header struct{ name, value string }

func key(k string) header { return header{"Idempotency-Key", k} }

// do sends a request. body nil sends none, []byte sends itself, everything else goes as JSON. Every POST carries a fresh idempotency key
// unless the test gives one.
func (c caller) do(method, path string, body any, with ...header) reply {
	c.s.t.Helper()
	r, err := c.try(method, path, body, with...)
	if err != nil {
		c.s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func (c caller) try(method, path string, body any, with ...header) (reply, error) {
	var rd io.Reader
	var asked []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		rd = bytes.NewReader(b)
	default:
		var err error
		if asked, err = json.Marshal(b); err != nil {
			return reply{}, err
		}
		rd = bytes.NewReader(asked)
	}
	req, err := http.NewRequestWithContext(c.s.t.Context(), method, c.s.URL+path, rd)
	if err != nil {
		return reply{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if strings.HasPrefix(path, "/api/console") {
		req.Header.Set("X-Liangche", "console")
	}
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", c.s.key())
	}
	for _, h := range with {
		if h.value == "" {
			req.Header.Del(h.name)
			continue
		}
		req.Header.Set(h.name, h.value)
	}
	if asked != nil {
		c.s.seen.wire(asked)
	}
	res, err := c.s.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	c.s.seen.wire(b)
	return reply{res.StatusCode, res.Header, b, method + " " + path}, err
}

func (c caller) get(path string) obj { c.s.t.Helper(); return c.want(http.MethodGet, path, nil) }

func (c caller) post(path string, body any, with ...header) obj {
	c.s.t.Helper()
	return c.want(http.MethodPost, path, body, with...)
}

// want sends a request that must succeed.
func (c caller) want(method, path string, body any, with ...header) obj {
	c.s.t.Helper()
	r := c.do(method, path, body, with...)
	if r.status/100 != 2 {
		c.s.t.Fatalf("%s: %d %s", r.what, r.status, r.body)
	}
	return r.json(c.s.t)
}

// fails sends a request that must be refused with this code, a message in Chinese and a request id.
func (c caller) fails(code, method, path string, body any, with ...header) obj {
	c.s.t.Helper()
	r := c.do(method, path, body, with...)
	o := r.json(c.s.t)
	if r.status/100 == 2 || o.s("code") != code {
		c.s.t.Fatalf("%s: %d %s, want %s", r.what, r.status, r.body, code)
	}
	if !han(o.s("message")) || o.s("requestId") == "" {
		c.s.t.Errorf("%s: a fault needs a Chinese message and a request id: %s", r.what, r.body)
	}
	o["status"] = json.Number(fmt.Sprint(r.status))
	return o
}

func han(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff })
}

// obj is a JSON object.
type obj map[string]any

func (r reply) json(t testing.TB) obj {
	t.Helper()
	o := obj{}
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.UseNumber()
	if len(bytes.TrimSpace(r.body)) == 0 {
		return o
	}
	if err := d.Decode(&o); err != nil {
		t.Fatalf("%s: %d: %v in %q", r.what, r.status, err, r.body)
	}
	return o
}

// at walks a dotted path through objects and arrays: "items.0.id". Missing is nil.
func (o obj) at(path string) any {
	var v any = map[string]any(o)
	for _, p := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			var i int
			if _, err := fmt.Sscan(p, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (o obj) s(path string) string { s, _ := o.at(path).(string); return s }
func (o obj) b(path string) bool   { b, _ := o.at(path).(bool); return b }

// i is a number; -1 when there is none.
func (o obj) i(path string) int64 {
	n, ok := o.at(path).(json.Number)
	if !ok {
		return -1
	}
	v, err := n.Int64()
	if err != nil {
		return -1
	}
	return v
}

// list are the objects of an array.
func (o obj) list(path string) []obj {
	a, _ := o.at(path).([]any)
	out := make([]obj, 0, len(a))
	for _, x := range a {
		if m, ok := x.(map[string]any); ok {
			out = append(out, obj(m))
		}
	}
	return out
}

func (o obj) String() string { b, _ := json.Marshal(o); return string(b) }

// eventually waits for something that happens in the background.
func (s *system) eventually(what string, ok func() bool) {
	s.t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.t.Fatalf("%s: did not happen", what)
}

// later moves the clock and does every job that is due then.
func (s *system) later(d time.Duration) {
	s.t.Helper()
	s.clk.Advance(d)
	s.drain()
}

// drain does what is due, and waits for what the system's own workers do meanwhile.
func (s *system) drain() {
	s.t.Helper()
	for range 400 {
		if err := s.Queue.Drain(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		if s.count(`SELECT COUNT(*) FROM jobs_queue WHERE state = 'running' AND lease_until > ?`, s.clk.Now().UnixMilli()) == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatal("a job does not end")
}

// count runs a SELECT COUNT(*) on the side of the database.
func (s *system) count(query string, args ...any) (n int64) {
	s.t.Helper()
	if err := s.DB.Get(s.t.Context(), &n, query, args...); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// exec changes rows by hand, past every rule.
func (s *system) exec(query string, args ...any) {
	s.t.Helper()
	if err := s.DB.InTx(context.Background(), func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, query, args...); return err }); err != nil {
		s.t.Fatal(err)
	}
}

// audit recomputes everything and returns the differences.
func (s *system) audit() string {
	s.t.Helper()
	var out bytes.Buffer
	n, err := s.Audit(context.Background(), &out, io.Discard)
	if err != nil {
		s.t.Fatal(err)
	}
	if (n > 0) != (out.Len() > 0) {
		s.t.Fatalf("audit counted %d differences and said %q", n, out.String())
	}
	return out.String()
}

// exact fails when the books are not.
func (s *system) exact() {
	s.t.Helper()
	if diff := s.audit(); diff != "" {
		s.t.Errorf("audit:\n%s", diff)
	}
}
