package main

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
)

const asLiangche = "CHAOS_AS_LIANGCHE"

// TestMain makes this binary a liangche when it is started as one: what is killed is a process of its own that does what cmd/liangche does.
func TestMain(m *testing.M) {
	if os.Getenv(asLiangche) != "" {
		os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
	}
	os.Exit(m.Run())
}

// small runs parts of the program as `make chaos` does, with fewer rounds. Anything found fails the test.
func small(t *testing.T, kills int, parts ...string) {
	t.Helper()
	out := io.Writer(os.Stdout)
	if !testing.Verbose() {
		out = io.Discard
	}
	c := &chaos{out: out, prog: program{os.Args[0], []string{asLiangche + "=1"}}, dir: t.TempDir(), seed: uint64(time.Now().UnixNano() % 1_000_000), kills: kills, short: true, begin: time.Now(),
		lease: func() db.Config { return dbtest.Config(t) }}
	for _, p := range c.parts() {
		for _, name := range parts {
			if p.name != name {
				continue
			}
			if err := c.run(t.Context(), p); err != nil {
				t.Error(err)
			}
		}
	}
	t.Logf("seed %d\n%s", c.seed, table(c.results))
	for _, r := range c.results {
		for _, f := range r.findings {
			t.Errorf("%s: %s; to run it again: go run ./internal/chaos -only %s -seed %d -short", r.name, f, r.name, c.seed)
		}
		if r.skipped == "" && r.book.acked == 0 {
			t.Errorf("%s: nobody did anything", r.name)
		}
	}
}

func onMariaDB() bool { return os.Getenv("LIANGCHE_TEST_DB") == "mysql" }

// N29: a server is killed again and again; nothing is lost, nothing is done twice, nobody is told twice.
func TestN29KillLosesAndDoublesNothing(t *testing.T) {
	if onMariaDB() {
		small(t, 6, "kill-mariadb")
	} else {
		small(t, 8, "kill-sqlite")
	}
}

func TestCutInMidCommit(t *testing.T) {
	if !onMariaDB() {
		t.Skip("an embedded database has no connection to cut; run with withmariadb")
	}
	small(t, 0, "cut")
}

func TestTwoServersOneDatabase(t *testing.T) {
	if !onMariaDB() {
		t.Skip("an embedded database has one server; run with withmariadb")
	}
	small(t, 0, "two")
}

func TestClockJumps(t *testing.T) {
	if onMariaDB() {
		t.Skip("runs on SQLite")
	}
	small(t, 0, "clock")
}
