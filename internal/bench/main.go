// Command bench measures the system against hand-written minimums on the same machine, in the same run, and says which goals are met.
//
// Model: a goal is a ratio of two variants that run in interleaved rounds; the median of the rounds counts, the smallest and the largest
// stand beside it as the noise. Absolute figures are shown for orientation only: they change by a factor of two with the machine's mood.
// Owns: nothing that outlives it except docs/performance-last.md and .svg, with -save. Invariants: every variant does the whole work
// (the audit must find the books exact afterwards); nothing here is a test, so a slow machine breaks no build.
//
//	go run ./internal/bench [-quick] [-save] [-only mariadb,sqlite,copies,booking,nightly,process,oa,steady] [-seeds n] [-steady 30m]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
	"github.com/liangche/liangche/internal/gauge"
)

// bench is one run.
type bench struct {
	out     io.Writer
	rounds  int
	length  time.Duration // of one round of one variant
	members int
	workers int
	quick   bool
	seeds   int           // of the stampede
	hold    time.Duration // how long the load of P11's flatness lasts
	begin   time.Time
	goals   []goal
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app.TuneMemory() // as the program does; the floor runs in this process too
	b := &bench{out: os.Stdout, rounds: 5, length: 1500 * time.Millisecond, members: 3000, begin: time.Now()}
	var save bool
	var only, profile string
	flag.BoolVar(&b.quick, "quick", false, "a first impression: shorter rounds, fewer members")
	flag.BoolVar(&save, "save", false, "write docs/performance-last.md and docs/performance-last.svg")
	flag.StringVar(&only, "only", "mariadb,sqlite,copies,booking,nightly,process,oa", "which parts to run; steady takes half an hour and runs only when it is named")
	flag.IntVar(&b.seeds, "seeds", 3, "how often the stampede of P8 runs on each database; its goal speaks of 100")
	flag.IntVar(&b.rounds, "rounds", b.rounds, "rounds of each variant")
	flag.DurationVar(&b.hold, "steady", 30*time.Minute, "how long the part steady keeps its load")
	flag.IntVar(&b.workers, "workers", workerCount, "concurrent clients on MariaDB; the goals speak of 32")
	flag.StringVar(&profile, "cpuprofile", "", "write a CPU profile of this process to the file")
	flag.Parse()
	if b.quick {
		b.length, b.members = 400*time.Millisecond, 600
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	if err := b.run(ctx, only, save); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		pprof.StopCPUProfile()
		os.Exit(1) //nolint:gocritic // the profile was stopped by hand
	}
}

func (b *bench) run(ctx context.Context, only string, save bool) error {
	fmt.Fprintf(b.out, "%s, %d cores, %d rounds of %s a variant\n", runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), b.rounds, b.length)
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"mariadb", b.mariadb}, {"sqlite", b.sqlite}, {"copies", b.copies}, {"booking", b.bookings}, {"nightly", b.nightly}, {"process", b.process}, {"oa", b.official}, {"steady", b.steady}} {
		if !strings.Contains(","+only+",", ","+part.name+",") {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	fmt.Fprintf(b.out, "\n%s\n", gauge.Columns(rows(b.goals)))
	if !save {
		return nil
	}
	return b.save()
}

// say prints progress with the time since the start.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.out, "[%4.0fs] "+format+"\n", append([]any{time.Since(b.begin).Seconds()}, args...)...)
}

const (
	vFloor     = "floor"
	vSettle    = "settle"
	vHotStore  = "settle, one store"
	vHTTP      = "settle over HTTP"
	vHotMember = "settle, one member"
	vHotRow    = "floor, one account"
)

// mariadb measures P1, P2, P3 and the hot store on a durable MariaDB.
func (b *bench) mariadb(ctx context.Context) error {
	b.say("MariaDB: starting a throw-away server (innodb_flush_log_at_trx_commit=1)")
	server, err := mariadb.Start(ctx, true)
	if err != nil {
		return err
	}
	defer server.Close()
	dsn, err := server.Create(ctx, "liangche")
	if err != nil {
		return err
	}
	b.say("MariaDB: %d members join and top up", b.members)
	w, err := newWorld(ctx, db.Config{Driver: db.MySQL, DSN: dsn, MaxConns: workerCount}, b.members)
	if err != nil {
		return err
	}
	defer w.Close()
	f, err := newFloor(ctx, w.DB, b.members)
	if err != nil {
		return err
	}
	till, stop, err := w.listen(ctx)
	if err != nil {
		return err
	}
	defer stop()
	time.Sleep(2 * time.Second) // the server still tidies up after the members
	m := &meter{workers: b.workers, server: server.Pid}
	got, err := m.interleave(ctx, b.rounds, b.length, []variant{{vFloor, f.random}, {vSettle, w.spread}, {vHotStore, w.hotStore}, {vHTTP, till.overHTTP},
		{vHotRow, f.hot}, {vHotMember, w.hotMember}}, b.say)
	if err != nil {
		return err
	}
	if err := f.drop(ctx); err != nil {
		return err
	}
	b.say("MariaDB: auditing the books")
	if err := w.exact(ctx); err != nil {
		return err
	}
	b.least("P1", "settle by stored value, service call, of the floor", 0.80, 1.2, got[vSettle], got[vFloor], rate)
	b.most("P1", "its CPU per operation, of the floor's", 1.5, 0, got[vSettle], got[vFloor], cost)
	b.least("P2", "settle over HTTP with sign-in and idempotency, of the floor", 0.60, 1.0, got[vHTTP], got[vFloor], rate)
	b.tails("P2", "its p99, of the floor's", 2, got[vHTTP], got[vFloor])
	b.least("hot store", "random members at one store, of many stores", 0.95, 0, got[vHotStore], got[vSettle], rate)
	b.least("P3", "one member, of the floor on one account", 8, 12, got[vHotMember], got[vHotRow], rate)
	for _, p := range peers {
		b.times("P4", "over HTTP, of "+p.name+" (by way of the floor)", p.want, p.beyond, 1/p.ofFloor, got[vHTTP], got[vFloor])
	}
	return b.debits(ctx, "MariaDB", w)
}

// sqlite measures P5 on the embedded database.
func (b *bench) sqlite(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "liangche-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.say("SQLite: %d members join and top up", b.members/4)
	w, err := newWorld(ctx, sqliteIn(dir), b.members/4)
	if err != nil {
		return err
	}
	defer w.Close()
	f, err := newFloor(ctx, w.DB, b.members/4)
	if err != nil {
		return err
	}
	m := &meter{workers: sqliteWorkers}
	got, err := m.interleave(ctx, b.rounds, b.length, []variant{{vFloor, f.random}, {vSettle, w.spread}}, b.say)
	if err != nil {
		return err
	}
	if err := f.drop(ctx); err != nil {
		return err
	}
	if err := w.exact(ctx); err != nil {
		return err
	}
	b.least("P5", "SQLite: settle, of a single-writer minimum", 0.80, 1.6, got[vSettle], got[vFloor], rate)
	return b.debits(ctx, "SQLite", w)
}
