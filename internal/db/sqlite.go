package db

import (
	"context"
	"database/sql/driver"

	"modernc.org/sqlite"
)

// On SQLite there is no round trip to save: what costs is to parse a statement. So queued writes run row by row, by few statements that stay
// prepared on the one connection that writes, and what is read stays prepared on each connection that reads.

// maxPrepared bounds the statements that a connection keeps, should their texts vary more than they do.
const maxPrepared = 200

// liteConn is all that the driver's connection can do, and the statements that are prepared on it.
type liteConn struct {
	liteDriver
	prepared map[string]*kept
}

// kept is a prepared statement. It serves one at a time: while rows are read from it, it is busy.
type kept struct {
	driver.Stmt
	busy bool
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
	return &liteConn{c.(liteDriver), map[string]*kept{}}, nil
}

// Close ends the statements first: the engine keeps the file open for them.
func (c *liteConn) Close() error {
	for _, s := range c.prepared {
		_ = s.Close()
	}
	clear(c.prepared)
	return c.liteDriver.Close()
}

// prepare finds a kept statement or makes it; nil when it is busy or when all that are kept are. Any other makes room for a new one.
func (c *liteConn) prepare(ctx context.Context, query string) (*kept, error) {
	if s := c.prepared[query]; s != nil {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	for q, s := range c.prepared {
		if len(c.prepared) < maxPrepared {
			break
		}
		if !s.busy {
			delete(c.prepared, q)
			_ = s.Close()
		}
	}
	if len(c.prepared) >= maxPrepared {
		return nil, nil
	}
	p, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &kept{Stmt: p}
	c.prepared[query] = s
	return s, nil
}

type keepRead struct{}

// keeps marks a read whose statement stays prepared. Whoever uses the pool directly is served as by any other driver.
func (d *DB) keeps(ctx context.Context) context.Context {
	if d.dialect != SQLite {
		return ctx
	}
	return context.WithValue(ctx, keepRead{}, true)
}

// QueryContext reads, by a kept statement when the caller asks for it.
func (c *liteConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if ctx.Value(keepRead{}) == nil {
		return c.liteDriver.QueryContext(ctx, query, args)
	}
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.liteDriver.QueryContext(ctx, query, args)
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &keptRows{rows, s}, nil
}

// keptRows give their statement back when they are closed.
type keptRows struct {
	driver.Rows
	of *kept
}

func (r *keptRows) Close() error {
	r.of.busy = false
	return r.Rows.Close()
}

// write runs a statement and returns how many rows it hit.
func (c *liteConn) write(ctx context.Context, query string, args []any) (int64, error) {
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return 0, err
		}
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	s, err := c.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	var r driver.Result
	if s != nil {
		r, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, named)
	} else {
		r, err = c.ExecContext(ctx, query, named)
	}
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
