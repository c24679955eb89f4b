package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
)

func TestDuplicateKeyIsNamed(t *testing.T) {
	d, _ := dbtest.New(t)
	insert := func() error {
		return d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO idem_keys (actor, idem_key, request_hash, response, created_at) VALUES (?,?,?,?,?)`, "a", "k", "h", "", 1)
			return err
		})
	}
	if err := insert(); err != nil {
		t.Fatal(err)
	}
	if err := insert(); !errors.Is(err, db.ErrDuplicate) {
		t.Fatalf("second insert: %v, want ErrDuplicate", err)
	}
}

func TestTransactionsDoNotNest(t *testing.T) {
	d, _ := dbtest.New(t)
	err := d.InTx(t.Context(), func(ctx context.Context, _ *db.Tx) error {
		return d.InTx(ctx, func(context.Context, *db.Tx) error { return nil })
	})
	if err == nil {
		t.Fatal("a nested transaction was allowed")
	}
}

func TestATransactionThatAsksForItRunsAgain(t *testing.T) {
	d, _ := dbtest.New(t)
	runs := 0
	write := func(again int) error {
		runs = 0
		return d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			runs++
			if _, err := tx.Exec(ctx, `INSERT INTO idem_keys (actor, idem_key, request_hash, response, created_at) VALUES ('again','k','h','',?)`, runs); err != nil || runs > again {
				return err
			}
			return fmt.Errorf("a row was made meanwhile: %w", db.ErrAgain)
		})
	}
	if err := write(2); err != nil || runs != 3 {
		t.Errorf("%d runs, %v", runs, err)
	}
	var kept int
	if err := d.Get(t.Context(), &kept, `SELECT created_at FROM idem_keys WHERE actor = 'again'`); err != nil || kept != 3 {
		t.Errorf("the row of run %d was kept, %v", kept, err)
	}
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM idem_keys WHERE actor = 'again'`)
		return err
	}))
	if err := write(1000); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("for ever: %v", err)
	}
}

// N37: counting under contention loses nothing on any engine.
func TestN37GuardedUpdateLosesNothing(t *testing.T) {
	d, _ := dbtest.New(t)
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO idem_keys (actor, idem_key, request_hash, response, created_at) VALUES ('n','n','h','',0)`)
		return err
	}))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 10 {
				if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
					return tx.ExecOne(ctx, db.ErrNoRows, `UPDATE idem_keys SET created_at = created_at + 1 WHERE actor = 'n'`)
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int64
	must(t, d.Get(t.Context(), &n, `SELECT created_at FROM idem_keys WHERE actor = 'n'`))
	if n != 200 {
		t.Fatalf("counted %d, want 200", n)
	}
}

// N08: one key, one effect, however many at once; another request under the same key is refused.
func TestN08IdempotencyKey(t *testing.T) {
	d, _ := dbtest.New(t)
	ran := func(hash string) (string, bool, error) {
		var out string
		var replayed bool
		ctx := idem.With(t.Context(), idem.Key{Actor: "owner:1", Key: "key-12345", Hash: hash})
		err := d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			r, rep, err := idem.Once(ctx, tx, func() (string, error) { return "done", nil })
			out, replayed = r, rep
			return err
		})
		return out, replayed, err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	first := 0
	for range 16 {
		wg.Go(func() {
			out, replayed, err := ran("same")
			if err != nil || out != "done" {
				t.Errorf("got %q %v", out, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if !replayed {
				first++
			}
		})
	}
	wg.Wait()
	if first != 1 {
		t.Fatalf("ran %d times, want 1", first)
	}
	if _, _, err := ran("other"); !errors.Is(err, idem.ErrReused) {
		t.Fatalf("other request: %v, want ErrReused", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
