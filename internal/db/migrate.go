package db

import (
	"cmp"
	"context"
	"errors"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// Migrate applies what is missing of the migration set, in order, and reports each step. It is forward-only; every
// migration holds one DDL statement, because MySQL cannot roll DDL back. Numbers belong to slices, not to releases, so a later
// release may bring a lower number than what is applied already: that is missing too.
// Fault: a plain error for a database into which a copy was begun and not ended.
func (d *DB) Migrate(ctx context.Context, set fs.FS, step func(name string)) error {
	if bad, err := d.unfinished(ctx); err != nil || bad {
		return cmp.Or(err, errUnfinished)
	}
	dialect := database.DialectSQLite3
	if d.dialect == MySQL {
		dialect = database.DialectMySQL
	}
	p, err := goose.NewProvider(dialect, d.write.DB, set, goose.WithVerbose(false), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	for {
		r, err := p.UpByOne(ctx)
		if err != nil {
			if done(err) {
				return nil
			}
			return err
		}
		if step != nil {
			step(r.Source.Path)
		}
	}
}

var errUnfinished = errors.New("a copy into this database was begun and not ended: empty it, then run `liangche copy` again")

func done(err error) bool { return errors.Is(err, goose.ErrNoNextVersion) }
