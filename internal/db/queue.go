package db

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// write is a statement that waits to be sent with others: what costs is the round trip and the statement, not the row.
type write struct {
	query  string // of an insertion all before its rows; of additions with places for them
	args   []any
	rows   int64  // that it must hit; -1 for any number
	miss   error  // when it does not
	row    string // of an insertion row by row: the marks of one row
	values []byte // of an insertion all at once: its rows, with marks for what is no number
	add    []addition
	part   int // of the transaction that it belongs to
}

// addition is a change of a number in the row id, made of so many changes.
type addition struct{ id, by, times int64 }

// InsertSoon is Insert for rows whose fate the transaction need not know at once: they are sent together with other queued
// writes, in order, before the next statement or the commit, which fails when one of them does. A unique key that refuses such a
// row is a mistake, not an outcome: use Insert where ErrDuplicate decides something.
func (t *Tx) InsertSoon(table string, rows any) {
	if w := insertion(t.db.dialect, table, rows); w != nil {
		t.queue(*w)
	}
}

// ExecSoon queues a guarded statement that must hit exactly the given number of rows, or else the transaction fails with miss (N03).
func (t *Tx) ExecSoon(rows int64, miss error, query string, args ...any) {
	t.queue(write{query: query, args: args, rows: rows, miss: miss})
}

// ExecLast is ExecSoon for a row that many transactions change: it is sent after everything else, with the last of what is queued, so that the row is
// locked for the commit alone.
func (t *Tx) ExecLast(rows int64, miss error, query string, args ...any) {
	t.last = append(t.last, write{query: query, args: args, rows: rows, miss: miss})
}

// AddSoon queues a guarded change of a number in one row. In the statement %[1]s stands for what is added, %[2]s for the ids of the rows
// and %[3]s for how many changes each row has had: changes by the same statement become one. Every row must be hit, or else the
// transaction fails with miss (N03).
func (t *Tx) AddSoon(statement string, miss error, id, by int64) {
	t.queue(write{query: statement, miss: miss, add: []addition{{id, by, 1}}})
}

// Part begins another part of the transaction: what it queues is merged with what other parts queued alike, while each part keeps its own order. A job that
// does the same to many begins one for each of them: a handful of statements then writes for all.
func (t *Tx) Part() { t.part++ }

func (t *Tx) queue(w write) {
	w.part = t.part
	t.queued = append(t.queued, w)
}

// before sends what is queued, so that the statement that follows sees it.
func (t *Tx) before(query string) error {
	if err := single(query); err != nil {
		return err
	}
	if len(t.reads) > 0 {
		if err := t.Collect(t.began); err != nil {
			return err
		}
	}
	return t.flush()
}

// errFewer reports that a text of several reads had fewer answers.
var errFewer = errors.New("db: fewer answers than reads")

// errSeveral reports a text with more than one statement.
var errSeveral = errors.New("db: one statement at a time")

// single refuses a text that could hold a second statement: connections accept several at once, for flush and Collect alone.
func single(query string) error {
	if strings.Contains(query, ";") {
		return errSeveral
	}
	return nil
}

// flush sends the queued writes: on a server in one round trip, on SQLite row by row. The first failure sticks.
func (t *Tx) flush() error {
	queued := merged(t.queued)
	if t.ending {
		queued = append(queued, t.last...)
	}
	if t.failed != nil || len(queued) == 0 {
		return t.failed
	}
	t.queued = nil
	t.sent++
	hit, err := t.send(queued)
	for i, w := range queued {
		if err == nil && w.rows >= 0 && hit[i] != w.rows && guarded {
			err = w.miss
		}
	}
	t.failed = err
	return err
}

func (t *Tx) send(queued []write) (hit []int64, err error) {
	for _, w := range queued {
		if err := single(w.query); err != nil {
			return nil, err
		}
	}
	if t.db.dialect == SQLite {
		hit, err = t.sendPrepared(queued)
		return hit, queuedFault(err)
	}
	for i := range queued {
		queued[i].query = queued[i].text()
	}
	if len(queued) > 1 {
		if hit, err = t.sendTogether(queued); !errors.Is(err, driver.ErrSkip) {
			return hit, queuedFault(err)
		}
	}
	for _, w := range queued {
		r, err := t.tx.ExecContext(t.began, w.query, w.args...)
		if err != nil {
			return nil, queuedFault(err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return nil, err
		}
		hit = append(hit, n)
	}
	return hit, nil
}

// queuedFault hides from the caller of the next statement that a unique key may have refused a queued row: it is not the caller's row.
func queuedFault(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("db: a queued write failed: %w", err)
}

// sendTogether puts all statements into one packet. It goes past database/sql, which does not tell how many rows each of them
// hit, and under the transaction's own context, so that it never runs on a connection whose transaction has ended.
// Fault: driver.ErrSkip when the driver cannot write the values into the text; then nothing was sent.
func (t *Tx) sendTogether(queued []write) (hit []int64, err error) {
	size, count := 0, 0
	for _, w := range queued {
		size, count = size+len(w.query)+1, count+len(w.args)
	}
	var text strings.Builder
	text.Grow(size)
	args := make([]driver.NamedValue, 0, count)
	for i, w := range queued {
		if i > 0 {
			text.WriteByte(';')
		}
		text.WriteString(w.query)
		for _, a := range w.args {
			args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: a})
		}
	}
	// What went wrong stays out of Raw's hands: told of a broken connection it would close it, and wait for ever for the transaction that
	// is open on it.
	if rawErr := t.con.Raw(func(c any) error {
		for i := range args {
			if err = c.(driver.NamedValueChecker).CheckNamedValue(&args[i]); err != nil {
				return nil
			}
		}
		var r driver.Result
		if r, err = c.(driver.ExecerContext).ExecContext(t.began, text.String(), args); err == nil {
			hit = r.(mysql.Result).AllRowsAffected()
		}
		return nil
	}); rawErr != nil {
		return nil, rawErr
	}
	if err == nil && len(hit) != len(queued) {
		err = fmt.Errorf("db: %d results of %d statements", len(hit), len(queued))
	}
	return hit, err
}
