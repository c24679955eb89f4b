package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// Where the process that is killed finds its configuration and address; see TestServedUntilKilled.
const killConfig, killListen = "LIANGCHE_TEST_KILL_CONFIG", "LIANGCHE_TEST_KILL_LISTEN"

// TestServedUntilKilled is the other process of TestN29KillLosesAndDoublesNothing; by itself it has nothing to do.
func TestServedUntilKilled(t *testing.T) {
	file := os.Getenv(killConfig)
	if file == "" {
		return
	}
	var cfg config.Config
	if err := json.Unmarshal(must(os.ReadFile(file)), &cfg); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), app.Options{Config: cfg, Clock: clock.System(), Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ln, err := net.Listen("tcp", os.Getenv(killListen))
	if err != nil {
		t.Fatal(err)
	}
	t.Fatal(a.Serve(t.Context(), ln))
}

// victim is a server in a process of its own, on an address that stays.
type victim struct {
	t      *testing.T
	config string
	addr   string
	cmd    *exec.Cmd
	said   *bytes.Buffer
}

func (v *victim) start() {
	v.t.Helper()
	v.said = &bytes.Buffer{}
	v.cmd = exec.Command(os.Args[0], "-test.run", "^TestServedUntilKilled$")
	v.cmd.Env = append(os.Environ(), killConfig+"="+v.config, killListen+"="+v.addr)
	v.cmd.Stdout, v.cmd.Stderr = v.said, v.said
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	for range 1200 {
		if res, err := http.Get("http://" + v.addr + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	v.t.Fatalf("the server does not come back: %s", v.said)
}

// kill ends the process as kill -9 does: nothing is flushed, nobody is told.
func (v *victim) kill() {
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait()
}

// TestN29KillLosesAndDoublesNothing rings up washes while the server is killed again and again. Each settlement is charged once, each tells the
// owner once; where a process died in the middle of a call that WeChat cannot be asked about, the log says so and nobody is told twice.
func TestN29KillLosesAndDoublesNothing(t *testing.T) {
	const kills, tills, washes = 12, 4, 30
	var cfg config.Config
	var box wxsandbox.Options
	s := start(t, func(o *app.DemoOptions) {
		o.Tune = func(c *config.Config) { cfg = *c }
		was := o.Sandbox
		o.Sandbox = func(so *wxsandbox.Options) { was(so); box = *so }
	}).open()
	// The first two are told by the official account, which recognises a repeat; the others in the mini-program, which does not.
	owners := make([]owner, tills)
	template := "lc-mp-" + notify.Deduction
	for i := range owners {
		owners[i] = s.join("车主" + string([]rune("甲乙丙丁")[i]))
		o := &owners[i]
		s.fund(o.id, 400000)
		if i < tills/2 {
			ticket := s.browser().oauth("/hooks/oauth/start?for=owner&to=/", o.p.ID).Query().Get("ticket")
			s.anonymous().post("/api/owner/session", obj{"channel": "ticket", "code": ticket})
			continue
		}
		if err := s.Sandbox.SetFollows(o.p.ID, false); err != nil {
			t.Fatal(err)
		}
		if err := s.Sandbox.Grant(o.p.ID, template, washes); err != nil {
			t.Fatal(err)
		}
		for range washes {
			o.post("/api/owner/grants", obj{"results": []obj{{"templateId": template, "result": "accept"}}})
		}
	}
	s.drain()
	desk, old := s.shop.desk.token, s.URL
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	cred := wxsandbox.Credentials{}
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(s.dir, "sandbox-credentials.json"))), &cred); err != nil {
		t.Fatal(err)
	}

	// From here on WeChat is this process and the shop's server another one.
	ln := must(net.Listen("tcp", "127.0.0.1:0"))
	v := &victim{t: t, addr: ln.Addr().String(), config: filepath.Join(s.dir, "kill.json")}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	weixin := httptest.NewServer(mux)
	defer weixin.Close()
	box.PublicURL = weixin.URL + "/sandbox"
	box.OfficialAccount.CallbackURL, box.MiniProgram.CallbackURL = "http://"+v.addr+"/hooks/oa", "http://"+v.addr+"/hooks/mp"
	sandbox := must(wxsandbox.New(box, cred))
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", sandbox.Handler()))
	if err := os.WriteFile(v.config, bytes.ReplaceAll(must(json.Marshal(cfg)), []byte(old), []byte(weixin.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	v.start()
	defer func() { v.kill() }()

	var done atomic.Int64
	var ringing sync.WaitGroup
	for i := range owners {
		ringing.Go(func() {
			for n := range washes {
				if err := ringUp("http://"+v.addr, desk, fmt.Sprintf("kill-%d-%04d", i, n), s.visit(owners[i].id, owners[i].plate)); err != nil {
					t.Errorf("till %d, wash %d: %v", i, n, err)
					return
				}
				done.Add(1)
			}
		})
	}
	for k := range kills {
		for done.Load() < int64((k+1)*tills*washes/(kills+1)) && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
		v.kill()
		v.start()
	}
	ringing.Wait()
	v.kill() // with whatever is still on its way
	if err := sandbox.Close(); err != nil {
		t.Fatal(err)
	}

	// Three minutes later every lease of a dead process is over.
	s.clk.Set(clock.System().Now().Add(3 * time.Minute))
	s.again()
	open := func() int64 {
		return s.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'deduction' AND state IN ('queued', 'held', 'sending')`)
	}
	s.eventually("every message is decided", func() bool {
		s.later(10 * time.Second)
		return open() == 0
	})
	if n := s.count(`SELECT COUNT(*) FROM checkout_orders`); n != tills*washes {
		t.Errorf("%d orders for %d washes", n, tills*washes)
	}
	if n := s.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'deduction'`); n != tills*washes {
		t.Errorf("%d messages for %d washes", n, tills*washes)
	}
	unsure := 0
	for i, o := range owners {
		if principal, _, _ := o.signedIn().wallet(); principal != 400000-washes*3500 {
			t.Errorf("owner %d has %d left", i, principal)
		}
		told := map[string]int{}
		for _, m := range s.Sandbox.Inbox(o.p.ID) {
			if strings.HasSuffix(m.TemplateID, notify.Deduction) {
				told[m.URL+m.Page]++
			}
		}
		for page, n := range told {
			if n > 1 {
				t.Errorf("owner %d was told %d times of %s", i, n, page)
			}
		}
		lost := int(s.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'deduction' AND member_id = ? AND state NOT IN ('sent', 'delivered')`, o.id))
		if i < tills/2 && lost > 0 {
			t.Errorf("owner %d was not told of %d washes", i, lost)
		}
		if len(told) < washes-lost {
			t.Errorf("owner %d was told of %d washes, and the log names only %d others", i, len(told), lost)
		}
		unsure += lost
	}
	if n := s.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'deduction' AND state NOT IN ('sent', 'delivered') AND NOT (state = 'failed' AND detail LIKE '%不确定%')`); n != 0 {
		t.Errorf("%d messages went astray in another way", n)
	}
	s.exact()
	t.Logf("%d kills, %d washes, %d messages of which nobody knows whether they arrived", kills+1, tills*washes, unsure)
}

// ringUp settles a visit as a till does that does not give up: the same key until there is an answer.
func ringUp(base, token, key string, visit obj) error {
	send := func(path, key string, body obj) (obj, error) {
		var last error
		for range 600 {
			r, status, err := sendJSON(base+path, token, key, body)
			if err == nil && status/100 == 2 {
				return r, nil
			}
			if last = err; err == nil {
				last = fmt.Errorf("%d %v", status, r)
				if status < 500 && status != http.StatusTooManyRequests && status != http.StatusConflict {
					return nil, last
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
		return nil, last
	}
	q, err := send("/api/staff/quotes", key+"-quote", visit)
	if err != nil {
		return err
	}
	_, err = send("/api/staff/checkouts", key, with(visit, obj{"quoteHash": q.s("quoteHash"), "tenders": []obj{tender("balance", q.i("totalFen"))}}))
	return err
}

func sendJSON(url, token, key string, body obj) (obj, int, error) {
	j, err := json.Marshal(body)
	if err != nil {
		return nil, 0, err
	}
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(j))
	if err != nil {
		return nil, 0, err
	}
	for k, v := range map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + token, "Idempotency-Key": key} {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	d := json.NewDecoder(res.Body)
	d.UseNumber()
	out := obj{}
	return out, res.StatusCode, d.Decode(&out)
}
