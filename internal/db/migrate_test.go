package db_test

import (
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
)

// A later release brings a table with a number below those that are applied: the shop that upgrades gets it.
func TestUpgradeAppliesLowerNumbersToo(t *testing.T) {
	d, err := db.Open(t.Context(), db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "u.db")}, clock.NewManual(dbtest.Start))
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	file := func(table string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE " + table + " (id BIGINT NOT NULL PRIMARY KEY);\n")}
	}
	set := fstest.MapFS{"00001_a.sql": file("a"), "00005_c.sql": file("c")}
	must(t, d.Migrate(t.Context(), set, nil))
	set["00003_b.sql"] = file("b")
	var steps []string
	must(t, d.Migrate(t.Context(), set, func(name string) { steps = append(steps, name) }))
	if !slices.Equal(steps, []string{"00003_b.sql"}) {
		t.Fatalf("applied %v", steps)
	}
	must(t, d.Migrate(t.Context(), set, func(name string) { t.Errorf("%s is applied again", name) }))
	var n int
	must(t, d.Get(t.Context(), &n, `SELECT COUNT(*) FROM b`))
}
