package db_test

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/migrations"
)

// A table of everything that migrations may make, with keys that pages must go on from in the middle.
const oddTable = `CREATE TABLE odd_things (
  a BIGINT NOT NULL, b VARCHAR(20) NOT NULL, n BIGINT NULL, small SMALLINT NULL, yes BOOLEAN NULL, words TEXT NULL, word VARCHAR(200) NULL, day CHAR(10) NULL, raw VARBINARY(256) NULL,
  PRIMARY KEY (a, b))`

const oddChild = `CREATE TABLE odd_parts (id BIGINT NOT NULL PRIMARY KEY, a BIGINT NOT NULL, b VARCHAR(20) NOT NULL, FOREIGN KEY (a, b) REFERENCES odd_things (a, b))`

func exec(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, query, args...); return err }); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// odd opens a database and adds the two tables to it until the test ends.
func odd(t *testing.T, cfg db.Config) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), cfg, clock.NewManual(dbtest.Start))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(t.Context(), migrations.FS, nil); err != nil {
		t.Fatal(err)
	}
	exec(t, d, oddTable)
	exec(t, d, oddChild)
	t.Cleanup(func() {
		ctx := context.Background()
		for _, q := range []string{"DROP TABLE odd_parts", "DROP TABLE odd_things"} {
			if _, err := d.SQLDB().ExecContext(ctx, q); err != nil {
				t.Error(err)
			}
		}
		_ = d.Close()
	})
	return d
}

func snapshot(t *testing.T, d *db.DB) *db.Snapshot {
	t.Helper()
	s, err := d.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func digests(t *testing.T, d *db.DB) []db.Digest {
	t.Helper()
	s, err := d.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Digests(t.Context(), func(db.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func lite(t *testing.T) db.Config {
	return db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "x.db")}
}

// Whatever a column may hold arrives as it was on the engine of this run, and comes back to SQLite as it was.
func TestCopyThereAndBack(t *testing.T) {
	source, target, back := odd(t, lite(t)), odd(t, dbtest.Config(t)), odd(t, lite(t))
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	rows := [][]any{
		{int64(math.MinInt64), "", int64(math.MinInt64), int64(-32768), false, "", "", "2026-01-31", []byte{}},
		{int64(math.MaxInt64), "z", int64(math.MaxInt64), int64(32767), true, strings.Repeat("长文本", 5000), "𠮷野家 🚗 'O\\\"\n\r\t\x1a%_?;--", "1970-01-01", every},
		{int64(0), "NULLs", nil, nil, nil, nil, nil, nil, nil},
		{int64(1), "ABC", int64(0), int64(0), true, "NULL", "null", "0", []byte("\x00\x00")},
		{int64(1), "abc", int64(-1), int64(0), true, "NULL", "null", "0", []byte("' OR 1=1")},
	}
	for i := range 4500 {
		rows = append(rows, []any{int64(7 + i/1500), strings.Repeat("k", i%3) + string(rune('一'+i)), int64(i), nil, i%2 == 0, "t", nil, nil, nil})
	}
	columns := []string{"a", "b", "n", "small", "yes", "words", "word", "day", "raw"}
	if err := source.Load(t.Context(), "odd_things", columns, rows); err != nil {
		t.Fatal(err)
	}
	if err := source.Load(t.Context(), "odd_parts", []string{"id", "a", "b"}, [][]any{{int64(5), int64(1), "abc"}, {int64(6), int64(0), "NULLs"}}); err != nil {
		t.Fatal(err)
	}
	from := snapshot(t, source)
	// What comes after the snapshot is not part of it.
	exec(t, source, `INSERT INTO odd_things (a, b) VALUES (99, 'later')`)
	var said []string
	want, err := from.CopyTo(t.Context(), target, func(what string, at db.Progress) {
		if at.At < 1 || at.At > at.Of {
			t.Errorf("%s %+v", what, at)
		}
		said = append(said, what+" "+at.Table)
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(said, ","), "copied odd_things") || said[len(said)-1] == "copied odd_parts" {
		t.Errorf("said %q", said)
	}
	for _, d := range want {
		if n := map[string]int64{"odd_things": int64(len(rows)), "odd_parts": 2}[d.Table]; d.Rows != n {
			t.Errorf("%s: %d rows, want %d", d.Table, d.Rows, n)
		}
	}
	if p := db.Compare(want, digests(t, target)); len(p) > 0 {
		t.Errorf("the target differs: %q", p)
	}
	if _, err := snapshot(t, target).CopyTo(t.Context(), back, func(string, db.Progress) {}); err != nil {
		t.Fatal(err)
	}
	if p := db.Compare(want, digests(t, back)); len(p) > 0 {
		t.Errorf("what came back differs: %q", p)
	}
	var word string
	if err := target.Get(t.Context(), &word, `SELECT word FROM odd_things WHERE a = ? AND b = ?`, int64(math.MaxInt64), "z"); err != nil || word != rows[1][6] {
		t.Errorf("%q %v", word, err)
	}
	t.Run("one wrong value is found", func(t *testing.T) {
		for _, c := range []struct{ change, says string }{
			{`UPDATE odd_things SET n = 1 WHERE a = 1 AND b = 'abc'`, "differs in n (sum "},
			{`UPDATE odd_things SET yes = NULL WHERE a = 1 AND b = 'ABC'`, "differs in yes"},
			{`UPDATE odd_things SET words = 'null' WHERE a = 1 AND b = 'ABC'`, "differs in words"},
			{`UPDATE odd_things SET word = 'Null' WHERE a = 0`, "differs in word"},
			{`DELETE FROM odd_parts WHERE id = 6`, "odd_parts has 1 rows instead of 2"},
			{`UPDATE odd_things SET n = CASE n WHEN 100 THEN 101 ELSE 100 END WHERE n IN (100, 101)`, "not in the same rows"},
		} {
			before := digests(t, back)
			exec(t, back, c.change)
			if p := db.Compare(before, digests(t, back)); len(p) != 1 || !strings.Contains(p[0], c.says) {
				t.Errorf("%s: %q", c.change, p)
			}
		}
	})
}

// What cannot be a source or a target is refused with what to do.
func TestCopyRefuses(t *testing.T) {
	source := odd(t, lite(t))
	from := snapshot(t, source)
	fails := func(to *db.DB, want string) {
		t.Helper()
		if _, err := from.CopyTo(t.Context(), to, func(string, db.Progress) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	filled := odd(t, dbtest.Config(t))
	exec(t, filled, `INSERT INTO odd_things (a, b) VALUES (1, 'x')`)
	fails(filled, "data already (in odd_things)")
	exec(t, filled, `DELETE FROM odd_things`)
	bare, err := db.Open(t.Context(), lite(t), clock.NewManual(dbtest.Start))
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	fails(bare, "never migrated")
	if _, err := bare.Snapshot(t.Context()); err == nil || !strings.Contains(err.Error(), "never migrated") {
		t.Errorf("%v", err)
	}
	// A row that the target refuses: the copy ends, and the target stays marked.
	exec(t, source, `INSERT INTO odd_things (a, b, word) VALUES (1, 'x', 'fits')`)
	late := snapshot(t, source)
	short := odd(t, dbtest.Config(t))
	exec(t, short, `DROP TABLE odd_parts`)
	exec(t, short, `DROP TABLE odd_things`)
	exec(t, short, strings.Replace(oddTable, "word VARCHAR(200) NULL", "word VARCHAR(200) NULL CHECK (word <> 'fits')", 1))
	exec(t, short, oddChild)
	if _, err := late.CopyTo(t.Context(), short, func(string, db.Progress) {}); err == nil || !strings.Contains(err.Error(), "incomplete: empty it") || !strings.Contains(err.Error(), "odd_things") {
		t.Errorf("%v", err)
	}
	fails(short, "begun and not ended")
	if err := short.Migrate(t.Context(), migrations.FS, nil); err == nil || !strings.Contains(err.Error(), "begun and not ended") {
		t.Errorf("the service would open half a copy: %v", err)
	}
	exec(t, short, `DROP TABLE db_unfinished_copy`)
}
