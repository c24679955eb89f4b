package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Kind says how the values of a column compare, whatever the engine.
type Kind byte

// The kinds of columns that migrations may make.
const (
	Number Kind = iota // whole numbers and booleans
	Text
	Bytes
)

// Column is a column of a table.
type Column struct {
	Name string
	Kind Kind
}

// Table is what must be known of a table to move its rows.
type Table struct {
	Name    string
	Columns []Column // by name, because engines differ in where a later column stands
	Key     []string // the primary key
	refs    []string // tables that must have their rows first
}

func (t Table) names() []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}

// selecter is a pool, a connection or a transaction.
type selecter interface {
	SelectContext(ctx context.Context, dest any, query string, args ...any) error
}

// unfinishedTable stands in a database as long as rows are being copied into it.
const unfinishedTable = "db_unfinished_copy"

// foreign says which tables are not the shop's: the engine's and the migrator's.
func foreign(table string) bool {
	return strings.HasPrefix(table, "sqlite_") || strings.HasPrefix(table, "goose_") || table == unfinishedTable
}

// tables lists the shop's tables, those that others refer to first.
func tables(ctx context.Context, d Dialect, q selecter) ([]Table, error) {
	columns := `SELECT m.name AS tbl, p.name AS col, p.type AS kind FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.name`
	keys := `SELECT m.name AS tbl, p.name AS col, '' AS kind FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND p.pk > 0 ORDER BY m.name, p.pk`
	refs := `SELECT m.name AS tbl, f."table" AS col, '' AS kind FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id`
	if d == MySQL {
		columns = `SELECT table_name AS tbl, column_name AS col, data_type AS kind FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, column_name`
		keys = `SELECT table_name AS tbl, column_name AS col, '' AS kind FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND constraint_name = 'PRIMARY'
			ORDER BY table_name, ordinal_position`
		refs = `SELECT table_name AS tbl, referenced_table_name AS col, '' AS kind FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL
			ORDER BY table_name, referenced_table_name`
	}
	type part struct {
		Table  string `db:"tbl"`
		Column string `db:"col"`
		Kind   string `db:"kind"`
	}
	var all []Table
	at := map[string]int{}
	for _, x := range []struct {
		query string
		add   func(t *Table, p part) error
	}{
		{columns, func(t *Table, p part) error {
			kind, err := kindOf(p.Kind)
			t.Columns = append(t.Columns, Column{p.Column, kind})
			if err != nil {
				err = fmt.Errorf("db: column %s.%s: %w", p.Table, p.Column, err)
			}
			return err
		}},
		{keys, func(t *Table, p part) error { t.Key = append(t.Key, p.Column); return nil }},
		{refs, func(t *Table, p part) error { t.refs = append(t.refs, p.Column); return nil }},
	} {
		var parts []part
		if err := q.SelectContext(ctx, &parts, x.query); err != nil {
			return nil, err
		}
		for _, p := range parts {
			if foreign(p.Table) {
				continue
			}
			i, ok := at[p.Table]
			if !ok {
				i = len(all)
				at[p.Table], all = i, append(all, Table{Name: p.Table})
			}
			if err := x.add(&all[i], p); err != nil {
				return nil, err
			}
		}
	}
	for i, t := range all {
		if len(t.Key) == 0 {
			return nil, fmt.Errorf("db: table %s has no primary key", t.Name)
		}
		slices.SortFunc(all[i].Columns, func(a, b Column) int { return strings.Compare(a.Name, b.Name) })
	}
	return inOrder(all)
}

// kindOf reads a declared type: BIGINT, VARCHAR(64) and so on.
func kindOf(declared string) (Kind, error) {
	name, _, _ := strings.Cut(strings.ToUpper(declared), "(")
	switch strings.TrimSpace(name) {
	case "BIGINT", "INT", "INTEGER", "SMALLINT", "TINYINT", "BOOLEAN":
		return Number, nil
	case "VARCHAR", "CHAR", "TEXT", "MEDIUMTEXT", "LONGTEXT":
		return Text, nil
	case "VARBINARY", "BINARY", "BLOB":
		return Bytes, nil
	}
	return 0, fmt.Errorf("type %q is not one that every engine shares", declared)
}

// inOrder puts tables behind those that they refer to.
func inOrder(all []Table) (out []Table, err error) {
	done := map[string]bool{}
	for len(out) < len(all) {
		before := len(out)
		for _, t := range all {
			if !done[t.Name] && !slices.ContainsFunc(t.refs, func(r string) bool { return r != t.Name && !done[r] }) {
				out, done[t.Name] = append(out, t), true
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("db: tables refer to each other in a circle, or to one that is missing")
		}
	}
	return out, nil
}

// Filled names a table that has rows; "" when none has.
func (d *DB) Filled(ctx context.Context) (string, error) {
	all, err := tables(ctx, d.dialect, d.read)
	if err != nil {
		return "", classify(err)
	}
	for _, t := range all {
		var rows []int
		if err := d.Select(ctx, &rows, "SELECT 1 FROM "+t.Name+" LIMIT 1"); err != nil {
			return "", err
		}
		if len(rows) > 0 {
			return t.Name, nil
		}
	}
	return "", nil
}

// unfinished says whether a copy into this database was begun and not ended.
func (d *DB) unfinished(ctx context.Context) (bool, error) {
	query := `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?`
	if d.dialect == MySQL {
		query = `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?`
	}
	var n int
	err := d.write.GetContext(ctx, &n, query, unfinishedTable)
	return n > 0, err
}
