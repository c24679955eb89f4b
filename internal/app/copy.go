package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/migrations"
)

// Copied says what a copy moved.
type Copied struct {
	Tables int
	Rows   int64
}

// Copy moves every row of one database to another, empty one of any engine, and proves by counts and sums that each arrived. A SQLite file
// gets its name once it is whole; a server's database stays marked as unfinished until then, and the service refuses it. Faults: plain
// errors that say what to do.
func Copy(ctx context.Context, from, to db.Config, clk clock.Clock, progress io.Writer) (got Copied, err error) {
	if from == to || from.Driver == to.Driver && from.Path == to.Path && from.DSN == to.DSN {
		return got, errors.New("source and target are the same database (LIANGCHE_DATABASE__… in the environment holds for both configurations: name databases instead)")
	}
	if from.Driver == db.SQLite {
		if _, err := os.Stat(from.Path); err != nil {
			return got, fmt.Errorf("the source: %w", err)
		}
	}
	source, err := db.Open(ctx, from, clk)
	if err != nil {
		return got, fmt.Errorf("the source: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	snapshot, err := source.Snapshot(ctx)
	if err != nil {
		return got, fmt.Errorf("the source: %w", err)
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	if to.Driver != db.SQLite {
		return copyInto(ctx, snapshot, to, clk, progress)
	}
	final := to.Path
	to.Path += unfinished
	if _, err := os.Lstat(final); err == nil {
		return got, fmt.Errorf("%s exists already: name a file that does not", final)
	}
	clean := func() error {
		return errors.Join(removeIfThere(to.Path), removeIfThere(to.Path+"-wal"), removeIfThere(to.Path+"-shm"))
	}
	if err := clean(); err != nil { // of one that was broken off
		return got, err
	}
	if got, err = copyInto(ctx, snapshot, to, clk, progress); err == nil {
		if err = os.Rename(to.Path, final); err == nil {
			return got, syncDir(filepath.Dir(final))
		}
	}
	return got, roomFor(errors.Join(err, clean()), filepath.Dir(final))
}

// copyInto migrates the target and copies.
func copyInto(ctx context.Context, from *db.Snapshot, to db.Config, clk clock.Clock, progress io.Writer) (got Copied, err error) {
	target, err := db.Open(ctx, to, clk)
	if err != nil {
		return got, fmt.Errorf("the target: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	show := &progressLine{w: progress}
	n := 0
	if err := target.Migrate(ctx, migrations.FS, func(name string) { n++; show.say("migrated %3d %s", n, filepath.Base(name)) }); err != nil {
		return got, fmt.Errorf("the target: %w", err)
	}
	show.end()
	was := ""
	all, err := from.CopyTo(ctx, target, func(what string, at db.Progress) {
		if what != was {
			show.end()
		}
		was = what
		show.step(what)(at)
	})
	show.end()
	if err != nil {
		return got, err
	}
	for _, d := range all {
		got.Tables++
		got.Rows += d.Rows
	}
	return got, nil
}
