package db

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

// Tx is an open transaction. Now is the instant at which it began and the only time that its rules see.
type Tx struct {
	Now    time.Time
	tx     *sqlx.Tx
	con    *sqlx.Conn      // on which tx runs
	began  context.Context // of the transaction: when it ends, so does tx
	db     *DB
	after  []func()
	queued []write
	failed error // of a queued write: nothing may be done or committed after it
}

// NewID makes an id.
func (t *Tx) NewID() int64 { return t.db.ids.New(t.Now) }

// Millis is Now as unix milliseconds.
func (t *Tx) Millis() int64 { return t.Now.UnixMilli() }

// ForUpdate is the locking clause of the engine: append it to a SELECT whose rows the transaction decides on.
// SQLite needs none, because its transactions begin immediate.
func (t *Tx) ForUpdate() string {
	if t.db.dialect == MySQL {
		return " FOR UPDATE"
	}
	return ""
}

// AfterCommit runs f once the transaction is durable: to wake a worker, never to do what must not be lost.
func (t *Tx) AfterCommit(f func()) { t.after = append(t.after, f) }

// Get reads one row into dest. Fault: ErrNoRows.
func (t *Tx) Get(ctx context.Context, dest any, query string, args ...any) error {
	if err := t.before(query); err != nil {
		return err
	}
	return wrap(t.tx.GetContext(ctx, dest, query, args...))
}

// Select reads rows into dest.
func (t *Tx) Select(ctx context.Context, dest any, query string, args ...any) error {
	if err := t.before(query); err != nil {
		return err
	}
	return wrap(t.tx.SelectContext(ctx, dest, query, args...))
}

// Exec runs a statement and returns how many rows it found (matched, also when nothing changed).
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.before(query); err != nil {
		return 0, err
	}
	r, err := t.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, wrap(err)
	}
	return r.RowsAffected()
}

// ExecOne runs a guarded statement that must hit exactly one row; otherwise it returns miss (N03).
func (t *Tx) ExecOne(ctx context.Context, miss error, query string, args ...any) error {
	n, err := t.Exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n != 1 {
		return miss
	}
	return nil
}

// Insert writes a row, or all rows of a slice in one statement: column names are the `db` tags of the struct.
// Fault: ErrDuplicate on a unique key.
func (t *Tx) Insert(ctx context.Context, table string, rows any) error {
	query, args := insertion(table, rows)
	if query == "" {
		return nil
	}
	_, err := t.Exec(ctx, query, args...)
	return err
}

// insertion is the statement that inserts a struct or a slice of them; "" when the slice is empty.
func insertion(table string, rows any) (query string, args []any) {
	v := reflect.Indirect(reflect.ValueOf(rows))
	if v.Kind() != reflect.Slice {
		s := reflect.MakeSlice(reflect.SliceOf(v.Type()), 0, 1)
		v = reflect.Append(s, v)
	}
	if v.Len() == 0 {
		return "", nil
	}
	cols := columns(reflect.Indirect(v.Index(0)).Type())
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(cols.index)), ",") + ")"
	var q strings.Builder
	q.WriteString("INSERT INTO " + table + " (" + cols.names + ") VALUES ")
	args = make([]any, 0, v.Len()*len(cols.index))
	for i := range v.Len() {
		if i > 0 {
			q.WriteByte(',')
		}
		q.WriteString(one)
		row := reflect.Indirect(v.Index(i))
		for _, ix := range cols.index {
			args = append(args, row.FieldByIndex(ix).Interface())
		}
	}
	return q.String(), args
}

type columnSet struct {
	names string
	index [][]int
}

var columnCache sync.Map // reflect.Type → columnSet: a pure function's results

func columns(t reflect.Type) columnSet {
	if c, ok := columnCache.Load(t); ok {
		return c.(columnSet)
	}
	var c columnSet
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if tag := f.Tag.Get("db"); tag != "" && tag != "-" {
			names = append(names, tag)
			c.index = append(c.index, f.Index)
		}
	}
	c.names = strings.Join(names, ", ")
	columnCache.Store(t, c)
	return c
}
