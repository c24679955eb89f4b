package db

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// read is a query that waits to be sent with others.
type read struct {
	query string
	args  []any
	dest  any
	then  func()
}

// SelectSoon queues a read: dest is a pointer to a slice of structs, and then runs when its rows are there. What is queued is read in order
// and in one round trip by Collect, or before the next statement.
func (t *Tx) SelectSoon(dest any, then func(), query string, args ...any) {
	t.reads = append(t.reads, read{query, args, dest, then})
}

// Collect reads what SelectSoon has queued.
func (t *Tx) Collect(ctx context.Context) error {
	reads := t.reads
	t.reads = nil
	if len(reads) < 2 || t.db.dialect == SQLite {
		for _, r := range reads {
			if err := t.Select(ctx, r.dest, r.query, r.args...); err != nil {
				return err
			}
			r.then()
		}
		return nil
	}
	var text string
	var args []any
	for i, r := range reads {
		if err := single(r.query); err != nil {
			return err
		}
		if i > 0 {
			text += ";"
		}
		text, args = text+r.query, append(args, r.args...)
	}
	if err := t.flush(); err != nil {
		return err
	}
	if err := t.seen(wrap(t.collect(ctx, reads, text, args))); err != nil {
		return err
	}
	for _, r := range reads {
		r.then()
	}
	return nil
}

// collect sends the reads as one text. Each answer is a set of rows; one that fails ends the text and is reported where the next set would be.
func (t *Tx) collect(ctx context.Context, reads []read, text string, args []any) error {
	rows, err := t.tx.QueryxContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for i, r := range reads {
		if i > 0 && !rows.NextResultSet() {
			if err := rows.Err(); err != nil {
				return err
			}
			return errFewer
		}
		if err := sqlx.StructScan(rows, r.dest); err != nil {
			return err
		}
	}
	return rows.Close()
}
