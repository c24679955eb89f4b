// Package dbtest gives tests a migrated throw-away database.
//
// Model: New returns an empty database of the engine that LIANGCHE_TEST_DB names: sqlite (default) or mysql, the
// latter on the server of LIANGCHE_TEST_MYSQL_DSN (see withmariadb, which starts one in a temporary folder).
// Owns: nothing that outlives the test. Invariants: two tests never see each other's rows; migrating happens once per
// process: SQLite copies the migrated file, MySQL empties and re-uses its databases.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/migrations"
)

// Start is the instant that the clock of New shows: a Wednesday, 10:00 in Shanghai.
var Start = time.Date(2026, 11, 18, 2, 0, 0, 0, time.UTC)

// New returns an empty migrated database and the clock that it follows.
func New(t testing.TB) (*db.DB, *clock.Manual) {
	t.Helper()
	clk := clock.NewManual(Start)
	return NewWithClock(t, clk), clk
}

// NewWithClock is New with the test's own clock.
func NewWithClock(t testing.TB, clk clock.Clock) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), Config(t), clk)
	if err != nil {
		t.Fatalf("dbtest: open: %v", err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// Config prepares a migrated throw-away database and says how to open it.
func Config(t testing.TB) db.Config {
	t.Helper()
	switch engine := os.Getenv("LIANGCHE_TEST_DB"); engine {
	case "", "sqlite":
		return sqliteCopy(t)
	case "mysql":
		return mysqlLease(t)
	default:
		t.Fatalf("dbtest: LIANGCHE_TEST_DB=%q, want sqlite or mysql", engine)
		return db.Config{}
	}
}

var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "liangche-template")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "t.db")
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{Driver: db.SQLite, Path: file}, clock.NewManual(Start))
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx, migrations.FS, nil); err != nil {
		return nil, err
	}
	if _, err := d.SQLDB().ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return nil, err
	}
	if err := d.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func sqliteCopy(t testing.TB) db.Config {
	t.Helper()
	content, err := template()
	if err != nil {
		t.Fatalf("dbtest: migrate: %v", err)
	}
	file := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return db.Config{Driver: db.SQLite, Path: file}
}

// pool holds the MySQL databases of this process that no test uses now.
var pool struct {
	sync.Mutex
	free []string
	made int
}

func mysqlLease(t testing.TB) db.Config {
	t.Helper()
	base, err := mysql.ParseDSN(os.Getenv("LIANGCHE_TEST_MYSQL_DSN"))
	if err != nil || os.Getenv("LIANGCHE_TEST_MYSQL_DSN") == "" {
		t.Fatalf("dbtest: LIANGCHE_TEST_MYSQL_DSN is missing or wrong: run the suite through withmariadb (%v)", err)
	}
	pool.Lock()
	var name string
	if n := len(pool.free); n > 0 {
		name, pool.free = pool.free[n-1], pool.free[:n-1]
	}
	fresh := name == ""
	if fresh {
		pool.made++
		name = fmt.Sprintf("lc_%d_%d", os.Getpid(), pool.made)
	}
	pool.Unlock()
	admin, err := sql.Open("mysql", base.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	target := base.Clone()
	target.DBName = name
	cfg := db.Config{Driver: db.MySQL, DSN: target.FormatDSN(), MaxConns: 32}
	if fresh {
		if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
			t.Fatalf("dbtest: create database: %v", err)
		}
		migrate(t, cfg)
	}
	t.Cleanup(func() { empty(t, admin, name) })
	return cfg
}

func migrate(t testing.TB, cfg db.Config) {
	t.Helper()
	d, err := db.Open(t.Context(), cfg, clock.NewManual(Start))
	if err != nil {
		t.Fatalf("dbtest: open: %v", err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), migrations.FS, nil); err != nil {
		t.Fatalf("dbtest: migrate: %v", err)
	}
}

// empty deletes every row and gives the database back to the pool. Rows that a migration seeds must not exist: seeds
// belong to the slices' code, so that an emptied database equals a fresh one.
func empty(t testing.TB, admin *sql.DB, name string) {
	ctx := context.Background() // the test's own context has ended
	con, err := admin.Conn(ctx)
	if err != nil {
		t.Errorf("dbtest: %v", err)
		return
	}
	defer con.Close()
	rows, err := con.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_rows IS NOT NULL", name)
	if err != nil {
		t.Errorf("dbtest: %v", err)
		return
	}
	var tables []string
	for rows.Next() {
		var s string
		if rows.Scan(&s) == nil && !strings.HasPrefix(s, "goose") {
			tables = append(tables, s)
		}
	}
	_ = rows.Close()
	_, err = con.ExecContext(ctx, "SET FOREIGN_KEY_CHECKS = 0")
	for _, s := range tables {
		if err == nil {
			_, err = con.ExecContext(ctx, "DELETE FROM "+name+"."+s)
		}
	}
	if err != nil {
		t.Errorf("dbtest: empty %s: %v", name, err)
		return
	}
	pool.Lock()
	pool.free = append(pool.free, name)
	pool.Unlock()
}
