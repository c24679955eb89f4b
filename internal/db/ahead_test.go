package db_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
)

// Reads that travel together give what each would give alone, after what was queued before them; a text with two statements is refused.
func TestReadsTravelTogether(t *testing.T) {
	d, _ := dbtest.New(t)
	const query = `SELECT actor, idem_key, request_hash, response, created_at FROM idem_keys WHERE actor = ? ORDER BY idem_key`
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		for i := range 3 {
			tx.InsertSoon("idem_keys", key{Actor: "a;'b", Key: fmt.Sprint(i)})
		}
		tx.InsertSoon("idem_keys", key{Actor: "c", Key: "only"})
		var first, none, last []key
		var order []int
		tx.SelectSoon(&first, func() { order = append(order, len(first)) }, query, "a;'b")
		tx.SelectSoon(&none, func() { order = append(order, len(none)) }, query+tx.ForUpdate(), "nobody")
		tx.SelectSoon(&last, func() { order = append(order, len(last)) }, query+tx.ForUpdate(), "c")
		must(t, tx.Collect(ctx))
		if fmt.Sprint(order) != "[3 0 1]" || first[2].Key != "2" || last[0].Key != "only" {
			t.Errorf("rows %v: %v, %v", order, first, last)
		}
		var late []key
		tx.SelectSoon(&late, func() { order = append(order, 10+len(late)) }, query, "c")
		var n int
		must(t, tx.Get(ctx, &n, `SELECT COUNT(*) FROM idem_keys`)) // another statement collects what waits
		if n != 4 || fmt.Sprint(order) != "[3 0 1 11]" {
			t.Errorf("%d rows, %v", n, order)
		}
		return nil
	}))
	for _, bad := range []string{query + "; DELETE FROM idem_keys", `SELECT actor FROM nowhere WHERE actor = ?`} {
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			var a, b, c []key
			done := func() { t.Errorf("%q was answered", bad) }
			tx.SelectSoon(&a, func() {}, query, "c")
			tx.SelectSoon(&b, done, bad, "c")
			tx.SelectSoon(&c, done, query, "c")
			return tx.Collect(ctx)
		})
		if err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	var n int
	must(t, d.Get(t.Context(), &n, `SELECT COUNT(*) FROM idem_keys`))
	if n != 4 {
		t.Errorf("%d rows are left of 4", n)
	}
}

// Outside a transaction too: each read gives what it would give alone, in order, and one that is refused answers nobody.
func TestReadsTravelTogetherOutsideATransaction(t *testing.T) {
	d, _ := dbtest.New(t)
	const query = `SELECT actor, idem_key, request_hash, response, created_at FROM idem_keys WHERE actor = ? ORDER BY idem_key`
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		return tx.Insert(ctx, "idem_keys", []key{{Actor: "a;'b", Key: "1"}, {Actor: "a;'b", Key: "2"}, {Actor: "c", Key: "only"}})
	}))
	var first, none, last []key
	var order []int
	ask := d.Reads()
	must(t, ask.Collect(t.Context())) // nothing is no mistake
	ask.SelectSoon(&first, func() { order = append(order, len(first)) }, query, "a;'b")
	ask.SelectSoon(&none, func() { order = append(order, len(none)) }, query, "nobody")
	ask.SelectSoon(&last, func() { order = append(order, len(last)) }, query, "c")
	must(t, ask.Collect(t.Context()))
	if fmt.Sprint(order) != "[2 0 1]" || first[1].Key != "2" || last[0].Key != "only" {
		t.Errorf("rows %v: %v, %v", order, first, last)
	}
	for _, bad := range []string{query + "; DELETE FROM idem_keys", `SELECT actor FROM nowhere WHERE actor = ?`} {
		var a, b, c []key
		done := func() { t.Errorf("%q was answered", bad) }
		ask.SelectSoon(&a, func() {}, query, "c")
		ask.SelectSoon(&b, done, bad, "c")
		ask.SelectSoon(&c, done, query, "c")
		if ask.Collect(t.Context()) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	must(t, ask.Collect(t.Context())) // what failed is forgotten
	var n int
	must(t, d.Get(t.Context(), &n, `SELECT COUNT(*) FROM idem_keys`))
	if n != 3 {
		t.Errorf("%d rows are left of 3", n)
	}
}
