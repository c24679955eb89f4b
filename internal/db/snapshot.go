package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
)

// pageRows is how many rows a Snapshot reads at once.
const pageRows = 2000

// Snapshot reads a whole database as it was at one moment, while others go on writing. It holds a connection; close it.
type Snapshot struct {
	db  *DB
	con *sqlx.Conn
	tx  *sqlx.Tx
}

// Progress says how far something has come that goes through all tables.
type Progress struct {
	Table  string
	At, Of int   // tables
	Rows   int64 // of this table, so far
}

// Snapshot opens one. Fault: a plain error when the database was never migrated.
func (d *DB) Snapshot(ctx context.Context) (*Snapshot, error) {
	con, err := d.read.Connx(ctx)
	if err != nil {
		return nil, classify(err)
	}
	var opt *sql.TxOptions
	if d.dialect == MySQL {
		opt = &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
	}
	tx, err := con.BeginTxx(ctx, opt)
	if err != nil {
		_ = con.Close()
		return nil, classify(err)
	}
	s := &Snapshot{d, con, tx}
	// The moment is that of the first read.
	if _, err := s.Applied(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the reading.
func (s *Snapshot) Close() error {
	err := s.tx.Rollback()
	if errors.Is(err, sql.ErrTxDone) { // the context has ended
		err = nil
	}
	return errors.Join(err, s.con.Close())
}

// Applied are the numbers of the migrations that the database has.
func (s *Snapshot) Applied(ctx context.Context) ([]int64, error) {
	var out []int64
	if err := s.tx.SelectContext(ctx, &out, `SELECT DISTINCT version_id FROM goose_db_version WHERE is_applied = TRUE AND version_id > 0 ORDER BY version_id`); err != nil {
		return nil, fmt.Errorf("this is no database of liangche, or it was never migrated: %w", err)
	}
	return out, nil
}

// Tables lists the tables, those that others refer to first.
func (s *Snapshot) Tables(ctx context.Context) ([]Table, error) {
	return tables(ctx, s.db.dialect, s.tx)
}

// Pages gives the rows of a table by its key, some at a time, in the order of its Columns: int64, string, []byte or nil.
func (s *Snapshot) Pages(ctx context.Context, t Table, use func(rows [][]any) error) error {
	at := make([]int, len(t.Key))
	for i, k := range t.Key {
		for j, c := range t.Columns {
			if c.Name == k {
				at[i] = j
			}
		}
	}
	begin := "SELECT " + strings.Join(t.names(), ", ") + " FROM " + t.Name
	end := " ORDER BY " + strings.Join(t.Key, ", ") + " LIMIT " + strconv.Itoa(pageRows)
	text, args := begin+end, []any(nil)
	for {
		rows, err := s.page(ctx, t, text, args)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		if len(rows) > 0 {
			if err := use(rows); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
		if len(rows) < pageRows {
			return nil
		}
		last := make([]any, len(at))
		for i, j := range at {
			last[i] = rows[len(rows)-1][j]
		}
		var where string
		where, args = after(t.Key, last)
		text = begin + " WHERE " + where + end
	}
}

// after is the condition for keys behind last: (a > ?) OR (a = ? AND b > ?), which every engine answers from its index.
func after(key []string, last []any) (where string, args []any) {
	var ways []string
	for i := range key {
		var all []string
		for j := range i {
			all, args = append(all, key[j]+" = ?"), append(args, last[j])
		}
		all, args = append(all, key[i]+" > ?"), append(args, last[i])
		ways = append(ways, "("+strings.Join(all, " AND ")+")")
	}
	return strings.Join(ways, " OR "), args
}

func (s *Snapshot) page(ctx context.Context, t Table, text string, args []any) (out [][]any, err error) {
	rows, err := s.tx.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	to := make([]any, len(t.Columns))
	for rows.Next() {
		row := make([]any, len(t.Columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		for i, c := range t.Columns {
			if row[i], err = plain(c.Kind, row[i]); err != nil {
				return nil, fmt.Errorf("column %s: %w", c.Name, err)
			}
		}
		out = append(out, row)
	}
	return out, errors.Join(rows.Err(), rows.Close())
}

// plain brings what a driver made of a value into the form that all engines share.
func plain(k Kind, v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		if k == Number {
			return v, nil
		}
	case bool:
		if k == Number {
			if v {
				return int64(1), nil
			}
			return int64(0), nil
		}
	case string:
		return plain(k, []byte(v))
	case []byte:
		switch k {
		case Text:
			return string(v), nil
		case Bytes:
			return append([]byte{}, v...), nil // none at all would be written as NULL
		}
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", v)
		}
		return n, nil
	}
	return nil, fmt.Errorf("a value of type %T does not fit", v)
}
