package app_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func (s *system) fault(f wxsandbox.Fault) {
	s.t.Helper()
	if _, err := s.Sandbox.SetFault(f); err != nil {
		s.t.Fatal(err)
	}
}

func TestWeChatDown(t *testing.T) {
	s := start(t, func(o *app.DemoOptions) { o.Tune = func(c *config.Config) { c.WeChat.TimeoutSeconds = 1 } }).open()
	kinds := []wxsandbox.Fault{{Kind: "drop"}, {Kind: "status", Value: "502"}, {Kind: "timeout", DelayMs: 1500}}
	// down breaks WeChat for the time of f.
	down := func(target, path string, k wxsandbox.Fault, f func()) {
		t.Helper()
		k.Target, k.Path = target, path
		s.fault(k) // count 0: until cleared
		f()
		s.Sandbox.ClearFaults()
	}
	for _, k := range kinds {
		s.sub("at login: "+k.Kind, func(t *testing.T) {
			p := s.persona("路人")
			before := s.count(`SELECT COUNT(*) FROM session_tokens`)
			down("api", "/sns/jscode2session", k, func() {
				f := s.anonymous().fails("wechat.unavailable", http.MethodPost, "/api/owner/session", obj{"channel": "mini_program", "code": s.loginCode(p)})
				if f.i("status") != 503 {
					t.Errorf("refused by %v", f)
				}
			})
			if n := s.count(`SELECT COUNT(*) FROM session_tokens`); n != before {
				t.Errorf("%d sessions", n-before)
			}
			s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": s.loginCode(p)})
			down("oauth", "/sns/oauth2", k, func() {
				at := s.browser().oauth("/hooks/oauth/start?for=owner&to=/", "p1")
				if at.Query().Get("loginError") != "wechat.unavailable" || at.Query().Get("ticket") != "" {
					t.Errorf("arrived at %s", at)
				}
			})
			if at := s.browser().oauth("/hooks/oauth/start?for=owner&to=/", "p1"); at.Query().Get("ticket") == "" {
				t.Errorf("arrived at %s", at)
			}
		})
	}
	o := s.join("林晓舟")
	for _, k := range append(kinds, wxsandbox.Fault{Kind: "errcode", Value: "SYSTEM_ERROR"}, wxsandbox.Fault{Kind: "forge"}, wxsandbox.Fault{Kind: "unsigned"}, wxsandbox.Fault{Kind: "drop_after"}) {
		s.sub("at prepay: "+k.Kind, func(t *testing.T) {
			kk := key(s.key())
			ask := obj{"amountFen": 1000}
			orders := len(s.ordersOf(o.p))
			down("pay.api", "/v3/pay/transactions/jsapi", k, func() {
				for range 2 {
					if f := o.fails("wechat.unavailable", http.MethodPost, "/api/owner/topups", ask, kk); f.i("status") != 503 {
						t.Errorf("refused by %v", f)
					}
				}
			})
			x := o.post("/api/owner/topups", ask, kk)
			o.pay(x, wxsandbox.OutcomePay)
			o.credited(x.i("topupId"))
			if n := len(s.ordersOf(o.p)) - orders; n != 1 {
				t.Errorf("%d orders at WeChat for one command", n)
			}
		})
	}
	s.sub("at the desk's code", func(t *testing.T) {
		desk := s.shop.desk
		ask := desk.ask(s.visit(o.id, o.plate), tender("balance", 500), tender("wechat_native", 3000))
		k := key(s.key())
		before := s.count(`SELECT COUNT(*) FROM checkout_orders`)
		down("pay.api", "/v3/pay/transactions/native", wxsandbox.Fault{Kind: "drop"}, func() {
			desk.fails("wechat.unavailable", http.MethodPost, "/api/staff/checkouts", ask, k)
		})
		r := desk.post("/api/staff/checkouts", ask, k)
		if n := s.count(`SELECT COUNT(*) FROM checkout_orders`) - before; n != 1 || r.s("status") != "awaiting_payment" || r.s("codeUrl") == "" {
			t.Errorf("%d orders, %v", n, r)
		}
		if _, _, held := o.wallet(); held != 500 {
			t.Errorf("%d is held", held)
		}
		desk.post(fmt.Sprintf("/api/staff/orders/%d/cancel", r.i("orderId")), nil)
		if _, _, held := o.wallet(); held != 0 {
			t.Errorf("%d is still held", held)
		}
	})
	for _, k := range kinds[:2] {
		s.sub("at refund: "+k.Kind, func(t *testing.T) {
			path := fmt.Sprintf("/api/console/members/%d", o.id)
			before := len(s.Sandbox.Snapshot().Refunds)
			var f obj
			down("pay.api", "/v3/refund", k, func() {
				plan := s.boss.get(path + "/refund-plan?amountFen=500")
				f = s.boss.post(path+"/refunds", obj{"amountFen": 500, "reason": "测试退款", "planHash": plan.s("planHash")})
				s.later(time.Second)
				if st := s.boss.get(fmt.Sprintf("/api/console/refunds/%d", f.i("refundId"))); st.s("state") != "processing" {
					t.Errorf("while WeChat is down: %v", st)
				}
			})
			s.eventually("it is done", func() bool {
				s.later(40 * time.Second)
				return s.count(`SELECT COUNT(*) FROM wallet_refunds WHERE id = ? AND state = 'done'`, f.i("refundId")) == 1
			})
			if n := len(s.Sandbox.Snapshot().Refunds) - before; n != 1 {
				t.Errorf("%d refunds at WeChat", n)
			}
			s.boss = s.login()
		})
	}
	s.exact()
}

func sqliteOnly(t *testing.T, s *system) {
	t.Helper()
	if s.cfg.Driver != db.SQLite {
		t.Skip("about the SQLite file; this run is on MySQL")
	}
}

// occupied holds SQLite's write lock from outside.
func (s *system) occupied(d time.Duration) (done chan error) {
	s.t.Helper()
	c, err := sql.Open("sqlite", "file:"+s.cfg.Path+"?_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		s.t.Fatal(err)
	}
	tx, err := c.BeginTx(context.Background(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	done = make(chan error, 1)
	go func() {
		time.Sleep(d)
		err := tx.Rollback()
		if cerr := c.Close(); err == nil {
			err = cerr
		}
		done <- err
	}()
	return done
}

func TestSQLiteFileLocked(t *testing.T) {
	s := start(t).open()
	sqliteOnly(t, s)
	o := s.join("林晓舟")
	s.fund(o.id, 100000)
	asks := make([]obj, 10)
	for i := range asks {
		asks[i] = s.shop.desk.ask(s.visit(o.id, o.plate), tender("balance", 3500))
	}
	free := s.occupied(1200 * time.Millisecond)
	begin := time.Now()
	if h := o.get("/api/owner/home"); h.i("wallet.totalFen") != 100000 || time.Since(begin) > time.Second {
		t.Errorf("reading waited %s for the writer: %v", time.Since(begin), h)
	}
	var wg sync.WaitGroup
	for _, ask := range asks {
		wg.Go(func() {
			if r, err := s.shop.desk.try(http.MethodPost, "/api/staff/checkouts", ask); err != nil || r.status != http.StatusOK {
				t.Errorf("%v %d %s", err, r.status, r.body)
			}
		})
	}
	wg.Wait()
	if time.Since(begin) < time.Second {
		t.Error("nobody waited: the file was not locked")
	}
	if err := <-free; err != nil {
		t.Error(err)
	}
	if p, _, _ := o.wallet(); p != 100000-10*3500 {
		t.Errorf("%d left", p)
	}
	s.exact()
}

func TestDiskFull(t *testing.T) {
	s := start(t).open()
	sqliteOnly(t, s)
	o := s.join("林晓舟")
	s.fund(o.id, 400000)
	pragma := func(q string) {
		t.Helper()
		if _, err := s.DB.SQLDB().ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, full, free string }{
		{"no page is left", fmt.Sprintf("PRAGMA max_page_count = %d", s.count(`SELECT page_count FROM pragma_page_count`)), "PRAGMA max_page_count = 1073741823"},
		{"the file is read-only", "PRAGMA query_only = 1", "PRAGMA query_only = 0"},
	} {
		s.sub(c.name, func(t *testing.T) {
			desk := s.shop.desk
			pragma(c.full)
			var failed obj
			var k header
			var before string
			for range 300 { // free pages are used up first
				ask := desk.ask(s.visit(o.id, o.plate), tender("balance", 1), tender("cash", 3499))
				before, k = s.footprint(), key(s.key())
				r := desk.do(http.MethodPost, "/api/staff/checkouts", ask, k)
				if r.status != http.StatusOK {
					f := r.json(t)
					if r.status != http.StatusServiceUnavailable || f.s("code") != "storage.full" || !han(f.s("message")) {
						t.Errorf("%d %s", r.status, r.body)
					}
					failed = ask
					break
				}
			}
			if failed == nil {
				t.Error("300 settlements needed no space")
			} else if after := s.footprint(); after != before {
				t.Errorf("half done: %s, was %s", after, before)
			}
			if h := o.get("/api/owner/home"); h.i("wallet.totalFen") < 1 {
				t.Errorf("reading: %v", h)
			}
			pragma(c.free)
			if failed != nil {
				if r := desk.post("/api/staff/checkouts", failed, k); r.s("status") != "settled" {
					t.Errorf("the same command, once there is space: %v", r)
				}
			}
		})
	}
	s.exact()
}

// The database goes away under load, again and again: every command is done once, by its key.
func TestDatabaseAwayUnderLoad(t *testing.T) {
	s := start(t).open()
	if s.cfg.Driver == db.SQLite {
		t.Skip("an embedded database cannot be away; see TestSQLiteFileLocked; run with withmariadb")
	}
	var name string
	if err := s.DB.Get(t.Context(), &name, `SELECT DATABASE()`); err != nil {
		t.Fatal(err)
	}
	admin := must(sql.Open("mysql", os.Getenv("LIANGCHE_TEST_MYSQL_DSN")))
	defer admin.Close()
	var members []owner
	for i := range 4 {
		o := s.join(fmt.Sprintf("会员%c", 'A'+i))
		s.fund(o.id, 100000)
		members = append(members, o)
	}
	var asks [][]obj
	for _, o := range members {
		var list []obj
		for range 8 {
			list = append(list, s.shop.desk.ask(s.visit(o.id, o.plate), tender("balance", 3500)))
		}
		asks = append(asks, list)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	var killed, refused atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			rows, err := admin.QueryContext(ctx, `SELECT id FROM information_schema.processlist WHERE db = ?`, name)
			if err != nil {
				continue
			}
			var ids []int64
			for rows.Next() {
				var id int64
				if rows.Scan(&id) == nil {
					ids = append(ids, id)
				}
			}
			_ = rows.Close()
			for _, id := range ids {
				if _, err := admin.ExecContext(ctx, fmt.Sprintf("KILL %d", id)); err == nil {
					killed.Add(1)
				}
			}
			time.Sleep(15 * time.Millisecond)
		}
	})
	for i := range members {
		for j := range asks[i] {
			wg.Go(func() {
				k := key(fmt.Sprintf("away-%d-%d-key", i, j))
				for range 2000 {
					r, err := s.shop.desk.try(http.MethodPost, "/api/staff/checkouts", asks[i][j], k)
					switch {
					case err != nil:
						t.Error(err)
						return
					case r.status == http.StatusOK:
						return
					case r.status != http.StatusServiceUnavailable:
						t.Errorf("%d %s", r.status, r.body)
					default:
						refused.Add(1)
					}
					time.Sleep(25 * time.Millisecond)
				}
				t.Error("a command never came through")
			})
		}
	}
	wg.Wait()
	// How many commands were refused is chance: most meet a lost connection with a new one.
	t.Logf("%d connections were killed, %d commands refused", killed.Load(), refused.Load())
	if killed.Load() < 20 {
		t.Errorf("only %d connections were killed", killed.Load())
	}
	for _, o := range members {
		if p, _, _ := o.wallet(); p != 100000-8*3500 {
			t.Errorf("%d left, want %d", p, 100000-8*3500)
		}
	}
	s.exact()
}

// A shutdown finishes what runs and leaves nothing behind; the next start goes on with the same keys.
func TestGracefulShutdown(t *testing.T) {
	var opt app.DemoOptions
	s := start(t, func(o *app.DemoOptions) { opt = *o }).open()
	o := s.join("林晓舟")
	s.fund(o.id, 10000)
	ask := s.shop.desk.ask(s.visit(o.id, o.plate), tender("balance", 3500))
	k := key("before-the-stop")
	first := s.shop.desk.post("/api/staff/checkouts", ask, k)

	s.fault(wxsandbox.Fault{Target: "api", Path: "/sns/jscode2session", Kind: "delay", DelayMs: 800, Count: 1})
	p := s.persona("路人")
	code := s.loginCode(p)
	answered := make(chan reply, 1)
	go func() {
		r, err := s.anonymous().try(http.MethodPost, "/api/owner/session", obj{"channel": "mini_program", "code": code})
		if err != nil {
			t.Error(err)
		}
		answered <- r
	}()
	s.eventually("the request is under way", func() bool { return len(s.Sandbox.Faults()) == 0 })
	begin := time.Now()
	if err := s.stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	if r := <-answered; r.status != http.StatusOK {
		t.Errorf("the running request got %d %s", r.status, r.body)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	if _, err := s.anonymous().try(http.MethodGet, "/healthz", nil); err == nil {
		t.Error("it still answers")
	}
	s.leftovers()

	s.run(opt)
	if again := s.shop.desk.post("/api/staff/checkouts", ask, k); again.i("orderId") != first.i("orderId") {
		t.Errorf("the same command after a restart settled %d, was %d", again.i("orderId"), first.i("orderId"))
	}
	if pr, _, _ := o.wallet(); pr != 6500 {
		t.Errorf("%d left", pr)
	}
	s.exact()
}

// leftovers fails when goroutines of the system outlive it.
func (s *system) leftovers() {
	s.t.Helper()
	var text string
	for range 100 {
		text = ""
		for id, g := range goroutines(s.t) {
			if !s.old[id] && !strings.Contains(g, "app_test.") && (strings.Contains(g, "liangche/internal/") || strings.Contains(g, "database/sql.(*DB).connectionOpener")) {
				text += g + "\n\n"
			}
		}
		if text == "" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Errorf("still running after the end:\n%s", text)
}

// The process dies, or the network does, between commit and answer: the same key brings the answer.
func TestAnswerLost(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	s.fund(o.id, 10000)
	desk := s.shop.desk
	ask := desk.ask(s.visit(o.id, o.plate), tender("balance", 3500))
	body := must(json.Marshal(ask))
	host := must(url.Parse(s.URL)).Host
	con := must(net.Dial("tcp", host))
	fmt.Fprintf(con, "POST /api/staff/checkouts HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nIdempotency-Key: lost-answer-1\r\nContent-Length: %d\r\n\r\n%s", host, desk.token, len(body), body)
	s.eventually("it is committed", func() bool { return s.count(`SELECT COUNT(*) FROM checkout_orders`) == 1 })
	if err := con.(*net.TCPConn).SetLinger(0); err != nil { // a reset, as a dying phone gives
		t.Fatal(err)
	}
	if err := con.Close(); err != nil {
		t.Fatal(err)
	}
	r := desk.post("/api/staff/checkouts", ask, key("lost-answer-1"))
	if n := s.count(`SELECT COUNT(*) FROM checkout_orders`); n != 1 || r.s("status") != "settled" {
		t.Errorf("%d orders, %v", n, r)
	}
	// And hung up at any moment: whatever became of the first try, the second brings it to its end once.
	for i := range 10 {
		k := fmt.Sprintf("hang-up-%02d-key", i)
		next := must(json.Marshal(desk.ask(s.visit(o.id, o.plate), tender("balance", 100), tender("cash", 3400))))
		con := must(net.Dial("tcp", host))
		w := bufio.NewWriter(con)
		fmt.Fprintf(w, "POST /api/staff/checkouts HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s", host, desk.token, k, len(next), next)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * time.Millisecond)
		if err := con.Close(); err != nil {
			t.Fatal(err)
		}
		desk.post("/api/staff/checkouts", next, key(k))
	}
	if n := s.count(`SELECT COUNT(*) FROM checkout_orders`); n != 11 {
		t.Errorf("%d orders, want 11", n)
	}
	if p, _, _ := o.wallet(); p != 10000-3500-10*100 {
		t.Errorf("%d left", p)
	}
	s.exact()
}
