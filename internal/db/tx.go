package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"reflect"
	"strconv"
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
	reads  []read
	queued []write
	last   []write // sent after all others; see ExecLast
	ending bool    // nothing but the commit comes now
	failed error   // of a queued write, or a deadlock: nothing may be done or committed after it
	stash  map[any]any

	// What a Combiner needs to undo one command among several.
	part int      // which command runs: writes of different parts may be merged
	sent int      // counts what went to the engine and cannot be taken back alone
	undo []func() // gives back what the running command changed in memory
}

// NewID makes an id.
func (t *Tx) NewID() int64 { return t.db.ids.New(t.Now) }

// Millis is Now as unix milliseconds.
func (t *Tx) Millis() int64 { return t.Now.UnixMilli() }

// ForUpdate is the locking clause of the engine: append it to a SELECT whose rows the transaction decides on.
// SQLite needs none, because its transactions begin immediate.
func (t *Tx) ForUpdate() string {
	if t.db.dialect == MySQL && guarded {
		return " FOR UPDATE"
	}
	return ""
}

// AfterCommit runs f once the transaction is durable: to wake a worker, never to do what must not be lost.
func (t *Tx) AfterCommit(f func()) { t.after = append(t.after, f) }

// Stash keeps what was read and locked ahead for a later step of the transaction, under a key of a type that is the package's own.
func (t *Tx) Stash(key, value any) {
	if t.stash == nil {
		t.stash = map[any]any{}
	}
	t.stash[key] = value
}

// Stashed returns what Stash keeps under key; the zero T when there is nothing.
func Stashed[T any](t *Tx, key any) T {
	v, _ := t.stash[key].(T)
	return v
}

// OnUndo registers what gives a stashed value its old content back. A Combiner calls it when the command that runs fails and others go
// on in the same transaction; alone, a failed command ends its transaction and what it stashed with it.
func (t *Tx) OnUndo(f func()) { t.undo = append(t.undo, f) }

// seen notes an error of the engine. After a deadlock the engine has ended the transaction: whatever came after it would be kept by itself.
func (t *Tx) seen(err error) error {
	if err != nil && !errors.Is(err, ErrNoRows) {
		t.sent++
	}
	if retryable(err) && t.failed == nil {
		t.failed = err
	}
	return err
}

// Get reads one row into dest. Fault: ErrNoRows.
func (t *Tx) Get(ctx context.Context, dest any, query string, args ...any) error {
	if err := t.before(query); err != nil {
		return err
	}
	return t.seen(wrap(t.tx.GetContext(t.db.keeps(ctx), dest, query, args...)))
}

// Select reads rows into dest.
func (t *Tx) Select(ctx context.Context, dest any, query string, args ...any) error {
	if err := t.before(query); err != nil {
		return err
	}
	return t.seen(wrap(t.tx.SelectContext(t.db.keeps(ctx), dest, query, args...)))
}

// Exec runs a statement and returns how many rows it found (matched, also when nothing changed).
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.before(query); err != nil {
		return 0, err
	}
	t.sent++
	r, err := t.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, t.seen(wrap(err))
	}
	return r.RowsAffected()
}

// ExecOne runs a guarded statement that must hit exactly one row; otherwise it returns miss (N03).
func (t *Tx) ExecOne(ctx context.Context, miss error, query string, args ...any) error {
	n, err := t.Exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n != 1 && guarded {
		return miss
	}
	return nil
}

// Insert writes a row, or all rows of a slice in one statement: column names are the `db` tags of the struct.
// Fault: ErrDuplicate on a unique key.
func (t *Tx) Insert(ctx context.Context, table string, rows any) error {
	w := insertion(t.db.dialect, table, rows)
	if w == nil {
		return nil
	}
	_, err := t.Exec(ctx, w.text(), w.args...)
	return err
}

// insertion is the statement that inserts a struct or a slice of them; nil when the slice is empty.
func insertion(d Dialect, table string, rows any) *write {
	v := reflect.Indirect(reflect.ValueOf(rows))
	n := 1
	if v.Kind() == reflect.Slice {
		if n = v.Len(); n == 0 {
			return nil
		}
	}
	at := func(i int) reflect.Value {
		if v.Kind() == reflect.Slice {
			return reflect.Indirect(v.Index(i))
		}
		return v
	}
	cols := columns(at(0).Type())
	w := &write{query: "INSERT INTO " + table + " (" + cols.names + ") VALUES ", rows: -1}
	if d == MySQL {
		w.args = make([]any, 0, n*cols.texts)
		w.values = make([]byte, 0, n*(len(cols.index)*8+2))
		for i := range n {
			w.write(cols, at(i))
		}
		return w
	}
	w.row, w.args = cols.row, make([]any, 0, n*len(cols.index))
	for i := range n {
		row := at(i)
		for _, ix := range cols.index {
			w.args = append(w.args, row.FieldByIndex(ix).Interface())
		}
	}
	return w
}

// write adds a row. Numbers are written as the driver would: they need not become arguments first, of which a batch has thousands.
func (w *write) write(cols columnSet, row reflect.Value) {
	if len(w.values) > 0 {
		w.values = append(w.values, ',')
	}
	w.values = append(w.values, '(')
	for i, ix := range cols.index {
		if i > 0 {
			w.values = append(w.values, ',')
		}
		v := row.FieldByIndex(ix)
		if cols.plain[i] && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				w.values = append(w.values, "NULL"...)
				continue
			}
			v = v.Elem()
		}
		if cols.plain[i] && v.CanInt() {
			w.values = strconv.AppendInt(w.values, v.Int(), 10)
			continue
		}
		w.values, w.args = append(w.values, '?'), append(w.args, v.Interface())
	}
	w.values = append(w.values, ')')
}

type columnSet struct {
	names string
	row   string // a mark for each: "(?,?)"
	index [][]int
	plain []bool // the column is a number or a text, or a pointer to one, and says itself what it is worth
	texts int    // columns that are no plain number
}

var columnCache sync.Map // reflect.Type → columnSet: a pure function's results

var valuer = reflect.TypeFor[driver.Valuer]()

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
			k := f.Type
			if k.Kind() == reflect.Pointer {
				k = k.Elem()
			}
			number := reflect.Int <= k.Kind() && k.Kind() <= reflect.Int64
			c.plain = append(c.plain, (number || k.Kind() == reflect.String) && !f.Type.Implements(valuer) && !k.Implements(valuer))
			if !number {
				c.texts++
			}
		}
	}
	c.names = strings.Join(names, ", ")
	c.row = "(" + strings.TrimSuffix(strings.Repeat("?,", len(names)), ",") + ")"
	columnCache.Store(t, c)
	return c
}
