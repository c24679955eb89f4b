package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/id"
)

// floor is the least that a durable checkout must do, written by hand over database/sql: begin, lock the account, raise
// or lower its balance, two ledger entries, an order, its two lines, an outbox row, commit. Eight round trips, no
// idempotency, no prices, no audit, one index per table. Our own ratio to it is what the goals speak of.
type floor struct {
	db       *db.DB
	accounts int
	ids      *id.Gen
}

var floorTables = []string{
	`CREATE TABLE floor_accounts (id BIGINT NOT NULL PRIMARY KEY, balance BIGINT NOT NULL, seq BIGINT NOT NULL)`,
	`CREATE TABLE floor_entries (id BIGINT NOT NULL PRIMARY KEY, order_id BIGINT NOT NULL, account_id BIGINT NOT NULL, amount BIGINT NOT NULL, balance_after BIGINT NOT NULL, created_at BIGINT NOT NULL)`,
	`CREATE INDEX floor_entries_account ON floor_entries (account_id, id)`,
	`CREATE TABLE floor_orders (id BIGINT NOT NULL PRIMARY KEY, account_id BIGINT NOT NULL, store_id BIGINT NOT NULL, total BIGINT NOT NULL, status VARCHAR(24) NOT NULL, created_at BIGINT NOT NULL)`,
	`CREATE INDEX floor_orders_account ON floor_orders (account_id, id)`,
	`CREATE TABLE floor_lines (id BIGINT NOT NULL PRIMARY KEY, order_id BIGINT NOT NULL, title VARCHAR(120) NOT NULL, amount BIGINT NOT NULL)`,
	`CREATE INDEX floor_lines_order ON floor_lines (order_id)`,
	`CREATE TABLE floor_outbox (id BIGINT NOT NULL PRIMARY KEY, payload TEXT NOT NULL, state VARCHAR(16) NOT NULL, created_at BIGINT NOT NULL)`,
	`CREATE INDEX floor_outbox_due ON floor_outbox (state, id)`,
}

// newFloor makes the tables and the accounts.
func newFloor(ctx context.Context, d *db.DB, accounts int) (*floor, error) {
	f := &floor{db: d, accounts: accounts, ids: id.NewGen()}
	for _, q := range floorTables {
		if _, err := d.SQLDB().ExecContext(ctx, q); err != nil {
			return nil, err
		}
	}
	for from := 0; from < accounts; from += 500 {
		var rows []string
		for i := from; i < min(from+500, accounts); i++ {
			rows = append(rows, fmt.Sprintf("(%d,1000000000,0)", i+1))
		}
		if _, err := d.SQLDB().ExecContext(ctx, "INSERT INTO floor_accounts (id, balance, seq) VALUES "+strings.Join(rows, ",")); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// random checks out on a random account.
func (f *floor) random(ctx context.Context, _, _ int) error {
	return f.checkout(ctx, int64(1+rand.IntN(f.accounts)))
}

// hot checks out on one account, as one member with one row lock would.
func (f *floor) hot(ctx context.Context, _, _ int) error { return f.checkout(ctx, 1) }

func (f *floor) checkout(ctx context.Context, account int64) (err error) {
	tx, err := f.db.SQLDB().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	lock := ""
	if f.db.Dialect() == db.MySQL {
		lock = " FOR UPDATE"
	}
	now := f.db.Now()
	at, order := now.UnixMilli(), f.ids.New(now)
	var balance, seq int64
	if err = tx.QueryRowContext(ctx, `SELECT balance, seq FROM floor_accounts WHERE id = ?`+lock, account).Scan(&balance, &seq); err != nil {
		return err
	}
	const total = 100
	if balance < total {
		return fmt.Errorf("account %d is empty", account)
	}
	steps := []struct {
		query string
		args  []any
	}{
		{`UPDATE floor_accounts SET balance = balance - ?, seq = seq + 1 WHERE id = ?`, []any{total, account}},
		{`INSERT INTO floor_entries (id, order_id, account_id, amount, balance_after, created_at) VALUES (?,?,?,?,?,?),(?,?,?,?,?,?)`,
			[]any{f.ids.New(now), order, account, -total, balance - total, at, f.ids.New(now), order, 0, total, 0, at}},
		{`INSERT INTO floor_orders (id, account_id, store_id, total, status, created_at) VALUES (?,?,?,?,?,?)`, []any{order, account, 1, total, "settled", at}},
		{`INSERT INTO floor_lines (id, order_id, title, amount) VALUES (?,?,?,?),(?,?,?,?)`,
			[]any{f.ids.New(now), order, "标准洗车", 70, f.ids.New(now), order, "车内香片", 30}},
		{`INSERT INTO floor_outbox (id, payload, state, created_at) VALUES (?,?,?,?)`, []any{f.ids.New(now), fmt.Sprintf(`{"order":%d}`, order), "queued", at}},
	}
	for _, s := range steps {
		if _, err = tx.ExecContext(ctx, s.query, s.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// drop deletes the tables, so that only the system's own remain.
func (f *floor) drop(ctx context.Context) error {
	for _, t := range []string{"floor_accounts", "floor_entries", "floor_orders", "floor_lines", "floor_outbox"} {
		if _, err := f.db.SQLDB().ExecContext(ctx, "DROP TABLE "+t); err != nil {
			return err
		}
	}
	return nil
}
