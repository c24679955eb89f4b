package db

import (
	"context"
	"database/sql/driver"

	"modernc.org/sqlite"
)

// On SQLite there is no round trip to save: what costs is to parse a statement. So queued writes run row by row, by few statements that stay
// prepared on the one connection that writes.

// maxPrepared bounds the statements that are kept, should their texts vary more than they do.
const maxPrepared = 200

// liteConn is all that the driver's connection can do, and the statements that are prepared on it.
type liteConn struct {
	liteDriver
	prepared map[string]driver.Stmt
}

type liteDriver interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keeping makes connections that keep prepared statements.
type keeping struct{ driver.Connector }

func newKeeping(dsn string) (driver.Connector, error) {
	c, err := sqlite.NewConnector(dsn)
	return keeping{c}, err
}

func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &liteConn{c.(liteDriver), map[string]driver.Stmt{}}, nil
}

// Close ends the statements first: the engine keeps the file open for them.
func (c *liteConn) Close() error {
	c.forget()
	return c.liteDriver.Close()
}

func (c *liteConn) forget() {
	for _, s := range c.prepared {
		_ = s.Close()
	}
	clear(c.prepared)
}

// write runs a statement and returns how many rows it hit.
func (c *liteConn) write(ctx context.Context, query string, args []any) (int64, error) {
	s := c.prepared[query]
	if s == nil {
		if len(c.prepared) >= maxPrepared {
			c.forget()
		}
		var err error
		if s, err = c.PrepareContext(ctx, query); err != nil {
			return 0, err
		}
		c.prepared[query] = s
	}
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return 0, err
		}
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	r, err := s.(driver.StmtExecContext).ExecContext(ctx, named)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// sendPrepared runs the queued writes one after the other. The connection is held all the while, and a transaction whose context has not
// ended before cannot be ended in between.
func (t *Tx) sendPrepared(queued []write) (hit []int64, err error) {
	if rawErr := t.con.Raw(func(c any) error {
		if err = t.began.Err(); err != nil {
			return nil
		}
		// Single rows: to watch the context during each would cost more than they do.
		ctx := context.WithoutCancel(t.began)
		for _, w := range queued {
			var sum int64
			err = w.eachRow(func(query string, args []any) error {
				n, err := c.(*liteConn).write(ctx, query, args)
				sum += n
				return err
			})
			if err != nil {
				return nil
			}
			hit = append(hit, sum)
		}
		return nil
	}); rawErr != nil {
		return nil, rawErr
	}
	return hit, err
}

// eachRow gives the statements of a write row by row.
func (w *write) eachRow(do func(query string, args []any) error) error {
	switch {
	case w.row != "":
		n, query := len(w.args)/w.rowsQueued(), w.query+w.row
		for i := 0; i < len(w.args); i += n {
			if err := do(query, w.args[i:i+n]); err != nil {
				return err
			}
		}
	case len(w.add) > 0:
		for _, a := range w.add {
			if err := do(w.pattern("?1", "?2", "?3"), []any{a.by, a.id, a.times}); err != nil {
				return err
			}
		}
	default:
		return do(w.query, w.args)
	}
	return nil
}
