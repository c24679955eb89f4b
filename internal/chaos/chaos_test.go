package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
)

const asLiangche = "CHAOS_AS_LIANGCHE"

// TestMain makes this binary a liangche when it is started as one: what is killed is a process of its own that does what cmd/liangche does.
func TestMain(m *testing.M) {
	if os.Getenv(asLiangche) != "" {
		os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
	}
	os.Exit(m.Run())
}

var self = program{os.Args[0], []string{asLiangche + "=1"}}

// small runs parts of the program as `make chaos` does, with fewer rounds. Anything found fails the test.
func small(t *testing.T, kills int, parts ...string) {
	t.Helper()
	out := io.Writer(os.Stdout)
	if !testing.Verbose() {
		out = io.Discard
	}
	c := &chaos{out: out, prog: self, dir: t.TempDir(), seed: uint64(time.Now().UnixNano() % 1_000_000), kills: kills, short: true, begin: time.Now(),
		lease: func() db.Config { return dbtest.Config(t) }}
	for _, p := range c.parts() {
		for _, name := range parts {
			if p.name != name {
				continue
			}
			if err := c.run(t.Context(), p); err != nil {
				t.Error(err)
			}
		}
	}
	t.Logf("seed %d\n%s", c.seed, table(c.results))
	for _, r := range c.results {
		for _, f := range r.findings {
			t.Errorf("%s: %s; to run it again: go run ./internal/chaos -only %s -seed %d -short", r.name, f, r.name, c.seed)
		}
		if r.skipped == "" && r.book.acked == 0 {
			t.Errorf("%s: nobody did anything", r.name)
		}
	}
}

func onMariaDB() bool { return os.Getenv("LIANGCHE_TEST_DB") == "mysql" }

// N29: a server is killed again and again; nothing is lost, nothing is done twice, nobody is told twice.
func TestN29KillLosesAndDoublesNothing(t *testing.T) {
	if onMariaDB() {
		small(t, 6, "kill-mariadb")
	} else {
		small(t, 8, "kill-sqlite")
	}
}

func TestCutInMidCommit(t *testing.T) {
	if !onMariaDB() {
		t.Skip("an embedded database has no connection to cut; run with withmariadb")
	}
	small(t, 0, "cut")
}

func TestTwoServersOneDatabase(t *testing.T) {
	if !onMariaDB() {
		t.Skip("an embedded database has one server; run with withmariadb")
	}
	small(t, 0, "two")
}

func TestClockJumpsAndWeChatFaults(t *testing.T) {
	if onMariaDB() {
		t.Skip("runs on SQLite")
	}
	small(t, 0, "clock", "wechat")
}

// The checks must be able to fail: each of these changes to the database, made past every rule, is found.
func TestTheChecksFind(t *testing.T) {
	if onMariaDB() {
		t.Skip("runs on SQLite")
	}
	c := &chaos{out: io.Discard, prog: self, dir: t.TempDir(), begin: time.Now()}
	r := &result{part: part{name: "checks"}, c: c, rnd: rand.New(rand.NewPCG(1, 1))}
	ctx := t.Context()
	s, err := newSite(ctx, r, c.dir, dbtest.Config(t), []string{""})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	l := s.startLoad(ctx, 2, append(daily(), act{60, (*load).benefit}, act{30, (*load).exchange}))
	l.resume()
	everything := func() (all bool) {
		s.books.locked(func() {
			var coupons, uses bool
			for _, a := range s.books.acks {
				if a.kind == "order" && s.books.lives(a) {
					coupons, uses = coupons || len(a.did.coupons) > 0, uses || a.did.uses > 0
				}
			}
			all = coupons && uses && len(s.books.paid) > 0 && s.books.count["booking"] > 0 && s.books.count["exchange"] > 0
		})
		return all
	}
	for !everything() {
		if err := s.heals(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.calm(ctx, l, "before"); err != nil || len(r.findings) > 0 {
		t.Fatal(err, r.findings)
	}
	s.servers[0].kill()
	l.end()
	d, err := db.Open(ctx, s.direct, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	const first = `(SELECT MIN(id) FROM `
	for _, x := range []struct{ name, harm, heal string }{
		{"a balance", `UPDATE ledger_accounts SET balance = balance + 1 WHERE id = ` + first + `ledger_accounts)`, `UPDATE ledger_accounts SET balance = balance - 1 WHERE id = ` + first + `ledger_accounts)`},
		{"a running balance", `UPDATE ledger_entries SET balance_after = balance_after + 1 WHERE id = ` + first + `ledger_entries WHERE account_id <> 0)`,
			`UPDATE ledger_entries SET balance_after = balance_after - 1 WHERE id = ` + first + `ledger_entries WHERE account_id <> 0)`},
		{"a lost order", `UPDATE checkout_orders SET status = 'x' || status WHERE id = ` + first + `checkout_orders)`, `UPDATE checkout_orders SET status = SUBSTR(status, 2) WHERE status LIKE 'x%'`},
		{"a payment", `UPDATE payment_intents SET paid_fen = paid_fen + 1 WHERE id = ` + first + `payment_intents)`, `UPDATE payment_intents SET paid_fen = paid_fen - 1 WHERE id = ` + first + `payment_intents)`},
		{"a booking", `UPDATE booking_bookings SET state = 'x' || state WHERE id = ` + first + `booking_bookings)`, `UPDATE booking_bookings SET state = SUBSTR(state, 2) WHERE state LIKE 'x%'`},
		{"a message", `UPDATE notify_messages SET dedupe_key = 'x' || dedupe_key WHERE id = ` + first + `notify_messages WHERE event = 'deduction')`,
			`UPDATE notify_messages SET dedupe_key = SUBSTR(dedupe_key, 2) WHERE dedupe_key LIKE 'x%'`},
		{"a coupon that may be used again", `UPDATE coupon_coupons SET state = 'available' WHERE id = ` + first + `coupon_coupons WHERE state = 'used')`, `UPDATE coupon_coupons SET state = 'used' WHERE state = 'available' AND ref_id <> 0`},
		{"what is left of a pass", `UPDATE pass_lines SET left_uses = left_uses + 1 WHERE id = ` + first + `pass_lines)`, `UPDATE pass_lines SET left_uses = left_uses - 1 WHERE id = ` + first + `pass_lines)`},
		{"a use of a pass", `UPDATE pass_uses SET qty = qty + 100 WHERE id = ` + first + `pass_uses WHERE NOT undone)`, `UPDATE pass_uses SET qty = qty - 100 WHERE qty > 100`},
		{"points", `UPDATE ledger_accounts SET unit = 'x' || unit WHERE id = ` + first + `ledger_accounts WHERE unit = 'points' AND balance > 0)`, `UPDATE ledger_accounts SET unit = SUBSTR(unit, 2) WHERE unit LIKE 'x%'`},
		{"a stock", `UPDATE mall_items SET stock = stock + 1`, `UPDATE mall_items SET stock = stock - 1`},
		{"an order of the mall", `UPDATE mall_orders SET state = 'x' || state WHERE id = ` + first + `mall_orders)`, `UPDATE mall_orders SET state = SUBSTR(state, 2) WHERE state LIKE 'x%'`},
	} {
		for _, step := range []struct {
			query string
			find  bool
		}{{x.harm, true}, {x.heal, false}} {
			if err := d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, step.query); return err }); err != nil {
				t.Fatal(x.name, err)
			}
			r.findings = nil
			if err := errors.Join(s.lookAtRows(ctx, d, "then"), s.compare(ctx, d, "then")); err != nil {
				t.Fatal(x.name, err)
			}
			if (len(r.findings) > 0) != step.find {
				t.Errorf("%s: after %s: %v", x.name, step.query, r.findings)
			}
		}
	}
}
