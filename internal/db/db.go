// Package db is the only door to the database: open, transact, read, and class errors.
//
// Model: one DB per process over SQLite (one writer, a pool of readers) or a MySQL-like server; a Tx freezes the
// time, makes ids, and collects what to do after the commit. A Combiner runs commands of the same moment in one Tx, a
// Lookup answers reads of the same moment by one statement. One SQL text serves every engine; the few differences
// (locking clause, error numbers, how queued writes are sent) live in this package.
// Owns: connections; the goose version table. Invariants: a transaction never nests; its closure may run twice, so
// results are assigned last; no network call happens inside it; isolation is READ COMMITTED, set once per connection.
package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/id"
)

// Dialect names an engine family.
type Dialect string

// The engine families.
const (
	SQLite Dialect = "sqlite"
	MySQL  Dialect = "mysql" // MySQL 8, MariaDB ≥ 10.6, TiDB
)

// Config says which database to open.
type Config struct {
	Driver   Dialect
	Path     string // SQLite: the file
	DSN      string // MySQL: user:password@tcp(host:port)/name
	MaxConns int    // MySQL: open connections; SQLite: readers. 0 is 16.
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect Dialect
	write   *sqlx.DB
	read    *sqlx.DB
	clock   clock.Clock
	ids     *id.Gen
}

// Open opens the database. It does not migrate: see Migrate. Faults: whatever the driver says of file or server.
func Open(ctx context.Context, cfg Config, clk clock.Clock) (*DB, error) {
	if cfg.MaxConns == 0 {
		cfg.MaxConns = 16
	}
	d := &DB{dialect: cfg.Driver, clock: clk, ids: id.NewGen()}
	var err error
	switch cfg.Driver {
	case SQLite:
		err = d.openSQLite(cfg)
	case MySQL:
		err = d.openMySQL(cfg)
	default:
		err = fmt.Errorf("db: unknown driver %q, want sqlite or mysql", cfg.Driver)
	}
	if err != nil {
		return nil, err
	}
	if err := d.write.PingContext(ctx); err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("db: cannot reach the database: %w", err)
	}
	return d, nil
}

func (d *DB) openSQLite(cfg Config) error {
	if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o750); err != nil {
		return err
	}
	common := url.Values{"_pragma": {"busy_timeout(5000)", "foreign_keys(1)", "synchronous(FULL)", "journal_mode(WAL)", "temp_store(MEMORY)"}}
	// The writer keeps 16 MB of pages and copies the log back every 16 MB, not every 4: a page that many settlements change is copied once.
	// When a commit is durable does not depend on it.
	w := url.Values{"_pragma": append(slices.Clone(common["_pragma"]), "cache_size(-16000)", "wal_autocheckpoint(4000)")}.Encode() + "&_txlock=immediate"
	r := url.Values{"_pragma": append(common["_pragma"], "query_only(1)")}.Encode()
	writer, err := newKeeping("file:" + cfg.Path + "?" + w)
	if err != nil {
		return err
	}
	d.write = sqlx.NewDb(sql.OpenDB(writer), "sqlite")
	d.write.SetMaxOpenConns(1) // SQLite has one writer: queueing here is fairer than BUSY
	reader, err := newKeeping("file:" + cfg.Path + "?" + r)
	if err != nil {
		return err
	}
	d.read = sqlx.NewDb(sql.OpenDB(reader), "sqlite")
	d.read.SetMaxOpenConns(cfg.MaxConns)
	d.read.SetMaxIdleConns(cfg.MaxConns) // opening one anew costs more than many reads, and its statements are lost
	return nil
}

func (d *DB) openMySQL(cfg Config) error {
	mc, err := mysql.ParseDSN(cfg.DSN)
	if err != nil {
		return err
	}
	// Several statements in one packet are sent by Tx.flush, Tx.Collect and Reads.Collect alone; every other door refuses a text that holds more than one (see single).
	mc.Logger = &mysql.NopLogger{} // what it would print comes back as an error and is logged once, in the service's own form
	mc.ClientFoundRows, mc.InterpolateParams, mc.MultiStatements, mc.ParseTime = true, true, true, false
	if mc.Timeout == 0 {
		mc.Timeout = 5 * time.Second
	}
	// Collation must be binary-like so that text compares alike on every engine (SQLite compares bytes).
	if mc.Collation == "" {
		mc.Collation = "utf8mb4_bin"
	}
	con, err := mysql.NewConnector(mc)
	if err != nil {
		return err
	}
	d.write = sqlx.NewDb(sql.OpenDB(session{con}), "mysql")
	d.write.SetMaxOpenConns(cfg.MaxConns)
	d.write.SetMaxIdleConns(cfg.MaxConns)
	d.write.SetConnMaxLifetime(5 * time.Minute)
	d.read = d.write
	return nil
}

// Close closes all connections.
func (d *DB) Close() error {
	err := d.write.Close()
	if d.read != nil && d.read != d.write {
		err = errors.Join(err, d.read.Close())
	}
	return err
}

// Dialect says which engine family is open.
func (d *DB) Dialect() Dialect { return d.dialect }

// Now is the clock's instant.
func (d *DB) Now() time.Time { return d.clock.Now() }

// NewID makes an id outside a transaction.
func (d *DB) NewID() int64 { return d.ids.New(d.clock.Now()) }

// Ping says whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.read.PingContext(ctx) }

// SQLDB gives the raw pool to the migrator and to the metrics collector, and to nobody else.
func (d *DB) SQLDB() *sql.DB { return d.write.DB }

// maxTries is for a rush: among dozens that deadlock, one is through with each round.
const maxTries = 8

type inTx struct{}

var errNested = errors.New("db: a transaction is already open: call the …Tx function instead")

// InTx runs fn in one transaction and commits. It runs up to 8 times, with jitter, when the engine asks for it
// (deadlock, lock wait, busy) or fn does by ErrAgain, so fn may run more than once and must assign its results last. Faults: what fn returns;
// fault.ErrUnavailable when the engine stays busy or is away; fault.ErrReadOnly when the disk is full.
func (d *DB) InTx(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if ctx.Value(inTx{}) != nil {
		return errNested
	}
	step := stepsOf(ctx)
	var err error
	for try := range maxTries {
		if try > 0 {
			if !sleep(ctx, time.Duration(1<<try)*time.Millisecond+rand.N((8+1<<try)*time.Millisecond)) {
				return classify(ctx.Err())
			}
		}
		step(StepBegin)
		var after []func()
		after, err = d.once(ctx, fn)
		if err == nil {
			for _, f := range after {
				f()
			}
			return nil
		}
		if !retryable(err) {
			return classify(err)
		}
	}
	return fault.ErrUnavailable.With(err)
}

func (d *DB) once(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) (after []func(), err error) {
	con, stx, err := d.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer con.Close()
	tx := &Tx{Now: d.clock.Now(), tx: stx, con: con, began: ctx, db: d}
	done := false
	defer func() {
		if !done { // also when fn panics
			_ = stx.Rollback()
		}
	}()
	if err = fn(context.WithValue(ctx, inTx{}, true), tx); err == nil {
		stepsOf(ctx)(StepCommit)
		tx.ending = true
		err = tx.flush()
	}
	if err != nil {
		return nil, err
	}
	done = true
	if err := stx.Commit(); err != nil {
		return nil, err
	}
	return tx.after, nil
}

// begin opens a transaction on a connection of its own, so that Tx.flush can reach the driver. A pooled connection that the
// server closed meanwhile is replaced, as database/sql does by itself elsewhere.
func (d *DB) begin(ctx context.Context) (con *sqlx.Conn, tx *sqlx.Tx, err error) {
	for range 3 {
		if con, err = d.write.Connx(ctx); err != nil {
			return nil, nil, err
		}
		if tx, err = con.BeginTxx(ctx, nil); err == nil {
			return con, tx, nil
		}
		_ = con.Close()
		if !errors.Is(err, driver.ErrBadConn) {
			break
		}
	}
	return nil, nil, err
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Get reads one row into dest outside a transaction. Fault: ErrNoRows.
func (d *DB) Get(ctx context.Context, dest any, query string, args ...any) error {
	if err := single(query); err != nil {
		return err
	}
	return classify(d.read.GetContext(d.keeps(ctx), dest, query, args...))
}

// Select reads rows into dest outside a transaction; no rows is an empty slice.
func (d *DB) Select(ctx context.Context, dest any, query string, args ...any) error {
	if err := single(query); err != nil {
		return err
	}
	return classify(d.read.SelectContext(d.keeps(ctx), dest, query, args...))
}

// Reader is what reads need: DB outside a transaction, Tx inside.
type Reader interface {
	Get(ctx context.Context, dest any, query string, args ...any) error
	Select(ctx context.Context, dest any, query string, args ...any) error
}

// In expands slices for `IN (?)`: db.In("… WHERE id IN (?)", ids).
func In(query string, args ...any) (string, []any, error) { return sqlx.In(query, args...) }

// SelectIn selects by a query whose first `IN (?)` takes ids; more are its other arguments. Without ids it reads nothing.
func SelectIn(ctx context.Context, r Reader, dest any, query string, ids []int64, more ...any) error {
	if len(ids) == 0 {
		return nil
	}
	query, args, err := In(query, append([]any{ids}, more...)...)
	if err != nil {
		return err
	}
	return r.Select(ctx, dest, query, args...)
}

// Like escapes text for `LIKE ? ESCAPE '!'`, so that a user's % and _ are themselves.
func Like(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}
