package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
)

type key struct {
	Actor    string `db:"actor"`
	Key      string `db:"idem_key"`
	Hash     string `db:"request_hash"`
	Response string `db:"response"`
	At       int64  `db:"created_at"`
}

// count reads how many rows of the actor a fresh reader sees.
func count(t *testing.T, r db.Reader, actor string) (n int) {
	t.Helper()
	must(t, r.Get(t.Context(), &n, `SELECT COUNT(*) FROM idem_keys WHERE actor = ?`, actor))
	return n
}

var errMiss = errors.New("missed")

func TestQueuedWritesAreSentInOrder(t *testing.T) {
	d, _ := dbtest.New(t)
	tricky := `it's "?;` + "`\\' 车"
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		tx.InsertSoon("idem_keys", []key{{"a", "1", tricky, tricky, 1}, {"a", "2", "h", "", 2}})
		tx.InsertSoon("idem_keys", []key{})
		tx.ExecSoon(2, errMiss, `UPDATE idem_keys SET created_at = created_at + ? WHERE actor = ?`, 10, "a")
		tx.InsertSoon("idem_keys", key{"a", "3", "h", "", 3})
		if n := count(t, tx, "a"); n != 3 {
			t.Errorf("the next statement sees %d rows, want 3", n)
		}
		tx.InsertSoon("idem_keys", key{"a", "4", "h", "", 4})
		return nil
	}))
	var rows []key
	must(t, d.Select(t.Context(), &rows, `SELECT actor, idem_key, request_hash, response, created_at FROM idem_keys ORDER BY idem_key`))
	if len(rows) != 4 || rows[0].At != 11 || rows[1].At != 12 || rows[2].At != 3 || rows[0].Response != tricky {
		t.Fatalf("stored %+v", rows)
	}
}

// N03: a queued guard that misses undoes everything, also what was sent with it, and even when its caller goes on.
func TestN03QueuedGuardUndoesEverything(t *testing.T) {
	d, _ := dbtest.New(t)
	err := d.InTx(t.Context(), func(_ context.Context, tx *db.Tx) error {
		tx.InsertSoon("idem_keys", key{"b", "1", "h", "", 1})
		tx.ExecSoon(1, errMiss, `UPDATE idem_keys SET created_at = 5 WHERE actor = 'nobody'`)
		tx.InsertSoon("idem_keys", key{"b", "2", "h", "", 1})
		return nil
	})
	if !errors.Is(err, errMiss) || count(t, d, "b") != 0 {
		t.Fatalf("%v, %d rows left", err, count(t, d, "b"))
	}
	err = d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		tx.ExecSoon(1, errMiss, `UPDATE idem_keys SET created_at = 5 WHERE actor = 'nobody'`)
		_ = tx.Insert(ctx, "idem_keys", key{"b", "3", "h", "", 1}) // a caller that forgets an error
		return nil
	})
	if !errors.Is(err, errMiss) || count(t, d, "b") != 0 {
		t.Fatalf("%v, %d rows left", err, count(t, d, "b"))
	}
}

// A unique key that refuses a queued row is no ErrDuplicate of the statement after it.
func TestQueuedDuplicateIsNotTheNextStatements(t *testing.T) {
	d, _ := dbtest.New(t)
	var next error
	err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		tx.InsertSoon("idem_keys", key{"c", "1", "h", "", 1})
		tx.InsertSoon("idem_keys", key{"c", "1", "h", "", 1})
		next = tx.Insert(ctx, "idem_keys", key{"c", "2", "h", "", 1})
		return nil
	})
	if next == nil || errors.Is(next, db.ErrDuplicate) {
		t.Errorf("the next statement got %v", next)
	}
	if err == nil || count(t, d, "c") != 0 {
		t.Errorf("%v, %d rows left", err, count(t, d, "c"))
	}
}

// Connections take several statements at once for the queue alone: no other door lets a second one through.
func TestOneStatementAtEveryDoor(t *testing.T) {
	d, _ := dbtest.New(t)
	const evil = `SELECT 1; DELETE FROM idem_keys`
	var n int
	var f *fault.Error
	in := func(try func(ctx context.Context, tx *db.Tx) error) error { return d.InTx(t.Context(), try) }
	for name, err := range map[string]error{
		"DB.Get":      d.Get(t.Context(), &n, evil),
		"DB.Select":   d.Select(t.Context(), &[]int{}, evil),
		"Tx.Get":      in(func(ctx context.Context, tx *db.Tx) error { return tx.Get(ctx, &n, evil) }),
		"Tx.Select":   in(func(ctx context.Context, tx *db.Tx) error { return tx.Select(ctx, &[]int{}, evil) }),
		"Tx.Exec":     in(func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, evil); return err }),
		"Tx.ExecSoon": in(func(_ context.Context, tx *db.Tx) error { tx.ExecSoon(-1, nil, evil); return nil }),
	} {
		if err == nil || errors.As(err, &f) || !strings.Contains(err.Error(), "one statement") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is queued when the caller gives up is never sent outside the transaction.
func TestQueuedWritesEndWithTheirTransaction(t *testing.T) {
	d, _ := dbtest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := d.InTx(ctx, func(_ context.Context, tx *db.Tx) error {
		tx.InsertSoon("idem_keys", []key{{"d", "1", "h", "", 1}})
		tx.InsertSoon("idem_keys", []key{{"d", "2", "h", "", 1}})
		cancel()
		_, err := tx.Exec(context.WithoutCancel(ctx), `UPDATE idem_keys SET created_at = 1 WHERE actor = 'nobody'`)
		return err
	})
	if err == nil || count(t, d, "d") != 0 {
		t.Fatalf("%v, %d rows left", err, count(t, d, "d"))
	}
}

// A connection that breaks under queued writes is a fault like any other: it must not wait for itself.
func TestQueuedWritesOnABrokenConnection(t *testing.T) {
	d, _ := dbtest.New(t)
	if d.Dialect() != db.MySQL {
		t.Skip("an embedded database has no connection to break")
	}
	done := make(chan error, 1)
	go func() {
		done <- d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			var id int64
			if err := tx.Get(ctx, &id, `SELECT CONNECTION_ID()`); err != nil {
				return err
			}
			tx.InsertSoon("idem_keys", key{"e", "1", "h", "", 1})
			tx.InsertSoon("idem_keys", key{"e", "2", "h", "", 1})
			_, err := d.SQLDB().ExecContext(ctx, `KILL ?`, id)
			return err
		})
	}()
	select {
	case err := <-done:
		if err == nil || count(t, d, "e") != 0 {
			t.Errorf("%v, %d rows left", err, count(t, d, "e"))
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it hangs")
	}
	must(t, d.InTx(t.Context(), func(_ context.Context, tx *db.Tx) error {
		tx.InsertSoon("idem_keys", key{"e", "3", "h", "", 1})
		return nil
	}))
}

// What goes last comes after everything that the transaction wrote, and what an undone command of a batch would have sent last is not sent.
func TestLastComesLast(t *testing.T) {
	d, _ := dbtest.New(t)
	last := func(tx *db.Tx, rows int64, actor string) {
		tx.ExecLast(rows, errMiss, `UPDATE idem_keys SET created_at = created_at + ? WHERE actor = ?`, 100, actor)
	}
	at := func(actor string) (sum int64) {
		must(t, d.Get(t.Context(), &sum, `SELECT COALESCE(SUM(created_at), 0) FROM idem_keys WHERE actor = ?`, actor))
		return sum
	}
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		last(tx, 2, "a")
		tx.InsertSoon("idem_keys", key{Actor: "a", Key: "1", At: 1})
		if n := count(t, tx, "a"); n != 1 {
			t.Errorf("%d rows", n)
		}
		tx.InsertSoon("idem_keys", key{Actor: "a", Key: "2", At: 2})
		return nil
	}))
	if n := at("a"); n != 203 {
		t.Errorf("%d after the last write", n)
	}
	err := d.InTx(t.Context(), func(_ context.Context, tx *db.Tx) error {
		last(tx, 1, "nobody")
		tx.InsertSoon("idem_keys", key{Actor: "a", Key: "3"})
		return nil
	})
	if !errors.Is(err, errMiss) || at("a") != 203 {
		t.Errorf("a last guard that missed: %v", err)
	}
	c := newCrowd(t)
	d = c.d
	changed := errors.New("changed my mind")
	c.comes(t.Context(), "x", func(_ context.Context, tx *db.Tx) error {
		tx.InsertSoon("idem_keys", key{Actor: "b", Key: "1"})
		last(tx, 1, "b")
		return nil
	}, c.wants(nil))
	c.comes(t.Context(), "y", func(_ context.Context, tx *db.Tx) error {
		last(tx, 1, "b")
		return changed
	}, c.wants(changed))
	close(c.gate)
	c.wg.Wait()
	if n := at("b"); n != 100 {
		t.Errorf("%d: what an undone command sends last counted", n)
	}
}
