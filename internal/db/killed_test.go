package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
)

// A server that drops the connection of a transaction with queued writes must not leave the transaction waiting for itself.
func TestKilledConnectionEndsTheTransaction(t *testing.T) {
	d, _ := dbtest.New(t)
	if d.Dialect() != db.MySQL {
		t.Skip("an embedded database has no connection to lose; run with withmariadb")
	}
	admin, err := sql.Open("mysql", os.Getenv("LIANGCHE_TEST_MYSQL_DSN"))
	must(t, err)
	defer admin.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		var id int64
		must(t, tx.Get(ctx, &id, `SELECT CONNECTION_ID()`))
		_, err := admin.ExecContext(ctx, fmt.Sprintf("KILL %d", id))
		must(t, err)
		time.Sleep(50 * time.Millisecond) // the server closes it a moment later
		for range 2 {
			tx.ExecSoon(-1, nil, `UPDATE idem_keys SET created_at = 1 WHERE actor = 'x'`)
		}
		return nil
	})
	if !errors.Is(err, fault.ErrUnavailable) || ctx.Err() != nil {
		t.Fatalf("got %v, %v", err, ctx.Err())
	}
	must(t, d.InTx(t.Context(), func(context.Context, *db.Tx) error { return nil }))
}
