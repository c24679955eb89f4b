package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Load inserts many rows in one transaction with as few statements as the engines' limits allow. It is for databases that nobody uses yet:
// no rule is asked. Fault: what the engine says, with the name of the table.
func (d *DB) Load(ctx context.Context, table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	begin := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
	return d.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		for rest := rows; len(rest) > 0; {
			n, args, size := 0, make([]any, 0, min(len(rest)*len(columns), maxArgs)), 0
			for n < len(rest) && (n == 0 || len(args)+len(columns) <= maxArgs && size < maxText) {
				args = append(args, rest[n]...)
				for _, v := range rest[n] {
					size += 8
					switch v := v.(type) {
					case string:
						size += len(v)
					case []byte:
						size += len(v)
					}
				}
				n++
			}
			if _, err := tx.Exec(ctx, begin+strings.TrimSuffix(strings.Repeat(row+",", n), ","), args...); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
			rest = rest[n:]
		}
		return nil
	})
}

// CopyTo copies every row into an empty database of any engine that has the same migrations, and proves by counts and sums that each has
// arrived. While it runs, and when it fails, the target is marked as unfinished, and Migrate refuses it. Faults: plain errors that say what
// to do.
func (s *Snapshot) CopyTo(ctx context.Context, to *DB, say func(what string, at Progress)) ([]Digest, error) {
	if err := s.fits(ctx, to); err != nil {
		return nil, err
	}
	if _, err := to.write.ExecContext(ctx, "CREATE TABLE "+unfinishedTable+" (id INT NOT NULL PRIMARY KEY)"); err != nil {
		return nil, err
	}
	all, err := tables(ctx, to.dialect, to.read) // the target decides which rows must be there before others
	if err != nil {
		return nil, err
	}
	var sums []Digest
	for i, t := range all {
		g := newDigester(t)
		if err := s.Pages(ctx, t, func(rows [][]any) error {
			for _, r := range rows {
				g.add(r)
			}
			say("copied", Progress{t.Name, i + 1, len(all), g.rows})
			return to.Load(ctx, t.Name, t.names(), rows)
		}); err != nil {
			return nil, fmt.Errorf("%w\nthe target is incomplete: empty it and begin anew", err)
		}
		sums = append(sums, g.digest())
	}
	arrived, err := to.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	have, err := arrived.Digests(ctx, func(at Progress) { say("verified", at) })
	if err = errors.Join(err, arrived.Close()); err != nil {
		return nil, err
	}
	if p := Compare(sums, have); len(p) > 0 {
		return nil, fmt.Errorf("the target is not the same:\n  %s\nempty it and begin anew", strings.Join(p, "\n  "))
	}
	_, err = to.write.ExecContext(ctx, "DROP TABLE "+unfinishedTable)
	return sums, err
}

// fits says why a database cannot be the target of a copy.
func (s *Snapshot) fits(ctx context.Context, to *DB) error {
	if bad, err := to.unfinished(ctx); err != nil || bad {
		return cmp.Or(err, errUnfinished)
	}
	if to.dialect == MySQL {
		var collation string
		if err := to.Get(ctx, &collation, `SELECT @@collation_database`); err != nil {
			return err
		}
		if !strings.HasSuffix(collation, "_bin") {
			return fmt.Errorf("the target's collation is %s, so that texts would not compare byte by byte: create it with CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", collation)
		}
	}
	target, err := to.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer target.Close()
	here, err := s.Applied(ctx)
	if err != nil {
		return err
	}
	there, err := target.Applied(ctx)
	if err != nil {
		return err
	}
	if !slices.Equal(here, there) {
		return fmt.Errorf("source and target do not have the same migrations (%d and %d): run `liangche migrate` on the source with this version of the program first", len(here), len(there))
	}
	if table, err := to.Filled(ctx); err != nil || table != "" {
		return cmp.Or(err, fmt.Errorf("the target has data already (in %s): name an empty database", table))
	}
	return nil
}
