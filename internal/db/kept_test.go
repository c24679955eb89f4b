package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
)

// A statement whose rows are still being read serves nobody else; more texts than are kept are read all the same.
func TestKeptStatements(t *testing.T) {
	d, _ := dbtest.New(t)
	if d.Dialect() != db.SQLite {
		t.Skip("on a server nothing is kept")
	}
	ctx, con, err := d.ReadConn(t.Context())
	must(t, err)
	defer con.Close()
	const query = `SELECT 1 AS n UNION ALL SELECT ? ORDER BY n`
	rows, err := con.QueryContext(ctx, query, 2)
	must(t, err)
	defer rows.Close()
	read := func(want int) {
		t.Helper()
		var n int
		if !rows.Next() || rows.Scan(&n) != nil || n != want {
			t.Fatalf("read %d, want %d (%v)", n, want, rows.Err())
		}
	}
	read(1)
	var other []int
	must(t, con.SelectContext(ctx, &other, query, 3))
	if len(other) != 2 || other[1] != 3 {
		t.Fatalf("the same text meanwhile: %v", other)
	}
	for i := range 3 * db.MaxPrepared {
		var n int
		must(t, con.GetContext(ctx, &n, fmt.Sprintf(`SELECT %d`, i)))
		if n != i {
			t.Fatalf("%d instead of %d", n, i)
		}
	}
	if n := db.Kept(con); n > db.MaxPrepared || n < 2 {
		t.Errorf("%d statements are kept", n)
	}
	read(2)
}

// What a transaction reads by a kept statement is what it has written itself, and a reader that was cancelled leaves nothing behind.
func TestKeptStatementsSeeTheirOwn(t *testing.T) {
	d, _ := dbtest.New(t)
	count := func(ctx context.Context, r db.Reader) (n int) {
		must(t, r.Get(ctx, &n, `SELECT COUNT(*) FROM idem_keys WHERE actor = ?`, "kept"))
		return n
	}
	for i := range 3 {
		must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			if n := count(ctx, tx); n != i {
				t.Errorf("round %d begins with %d rows", i, n)
			}
			tx.InsertSoon("idem_keys", key{Actor: "kept", Key: fmt.Sprint(i)})
			if n := count(ctx, tx); n != i+1 {
				t.Errorf("round %d sees %d rows", i, n)
			}
			return nil
		}))
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		var n int
		if err := d.Get(gone, &n, `SELECT COUNT(*) FROM idem_keys WHERE actor = ?`, "kept"); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled read: %v", err)
		}
		if n := count(t.Context(), d); n != i+1 {
			t.Errorf("after round %d a reader sees %d rows", i, n)
		}
	}
}
