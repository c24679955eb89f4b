package db

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// Waiting says how many callers nobody has picked up yet.
func (l *Lookup[K, V]) Waiting() int { n, _ := l.gather.now(); return n }

// MaxPrepared is how many statements a connection keeps.
const MaxPrepared = maxPrepared

// ReadConn is a connection that reads, with the context by which its statements are kept.
func (d *DB) ReadConn(ctx context.Context) (context.Context, *sqlx.Conn, error) {
	con, err := d.read.Connx(ctx)
	return d.keeps(ctx), con, err
}

// Kept says how many statements the connection keeps.
func Kept(con *sqlx.Conn) (n int) {
	_ = con.Raw(func(c any) error { n = len(c.(*liteConn).prepared); return nil })
	return n
}
