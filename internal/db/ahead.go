package db

import (
	"context"
	"strings"

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
	text, args, err := asOne(reads)
	if err != nil {
		return err
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

func (t *Tx) collect(ctx context.Context, reads []read, text string, args []any) error {
	rows, err := t.tx.QueryxContext(ctx, text, args...)
	if err != nil {
		return err
	}
	return scanAll(rows, reads)
}

// Asker takes reads that travel together: Tx inside a transaction, Reads outside.
type Asker interface {
	SelectSoon(dest any, then func(), query string, args ...any)
}

// Reads are reads outside a transaction that travel together. Each of them sees what was committed when its turn came, and their turns come in the
// order in which they were queued.
type Reads struct {
	db    *DB
	reads []read
}

// Reads begins a round trip.
func (d *DB) Reads() *Reads { return &Reads{db: d} }

// SelectSoon queues a read as Tx.SelectSoon does.
func (q *Reads) SelectSoon(dest any, then func(), query string, args ...any) {
	q.reads = append(q.reads, read{query, args, dest, then})
}

// Collect reads what SelectSoon has queued: in one round trip where the engine can.
func (q *Reads) Collect(ctx context.Context) error {
	reads := q.reads
	q.reads = nil
	if len(reads) < 2 || q.db.dialect == SQLite {
		for _, r := range reads {
			if err := q.db.Select(ctx, r.dest, r.query, r.args...); err != nil {
				return err
			}
			r.then()
		}
		return nil
	}
	text, args, err := asOne(reads)
	if err != nil {
		return err
	}
	rows, err := q.db.read.QueryxContext(ctx, text, args...)
	if err == nil {
		err = scanAll(rows, reads)
	}
	if err != nil {
		return classify(err)
	}
	for _, r := range reads {
		r.then()
	}
	return nil
}

// asOne joins reads to one text.
func asOne(reads []read) (text string, args []any, err error) {
	var b strings.Builder
	for i, r := range reads {
		if err := single(r.query); err != nil {
			return "", nil, err
		}
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(r.query)
		args = append(args, r.args...)
	}
	return b.String(), args, nil
}

// scanAll takes the answers to one text. Each is a set of rows; one that fails ends the text and is reported where the next set would be.
func scanAll(rows *sqlx.Rows, reads []read) error {
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
