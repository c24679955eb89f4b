// Command scale fills databases to the size of a large chain and measures what becomes slower there, and lets three instances of the
// program work behind nginx on one database.
//
// Model: a template of some hundred members is made by the use cases on a clock of its own; every row that this left is multiplied, each time
// with other ids, numbers, names, plates and dates, until there are as many members as asked for. The books of the result are exact, which the audit
// proves at the end. Owns: nothing that outlives it except docs/scale-last.md, with -save. Invariants: what is compared runs in interleaved
// rounds on the same server; nothing here is a test, so a slow machine breaks no build.
//
//	go run ./internal/scale [-members n] [-only size,fleet,sqlite] [-save] [-dir folder]
//
// With LIANGCHE_TEST_TIDB_DSN (user:password@tcp(host:4000)/) everything runs on that TiDB instead of a MariaDB of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
	"github.com/liangche/liangche/internal/gauge"
)

// scale is one run.
type scale struct {
	out     io.Writer
	begin   time.Time
	members int // of the large database
	small   int // of the one that it is compared with
	rounds  int
	length  time.Duration // of one round
	workers int
	dir     string
	audits  bool
	engine  string
	lines   []line
	facts   []string
	server  host
}

// host is the database server that everything runs on.
type host struct {
	pid   int
	dsn   string // without a database
	close func()
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app.TuneMemory()
	s := &scale{out: os.Stdout, begin: time.Now(), length: 2 * time.Second, workers: 16}
	var only string
	var save bool
	flag.IntVar(&s.members, "members", 100_000, "members of the large database, each with ten entries in the journal; the goal speaks of 1000000")
	flag.IntVar(&s.small, "small", 10_000, "members of the database that it is compared with")
	flag.IntVar(&s.rounds, "rounds", 5, "interleaved rounds")
	flag.StringVar(&only, "only", "size,fleet", "which parts to run: size, fleet, sqlite")
	flag.StringVar(&s.dir, "dir", os.TempDir(), "folder for the databases: some 12 KB for each member")
	flag.BoolVar(&s.audits, "audit", true, "audit the large database at the end")
	flag.BoolVar(&save, "save", false, "write docs/scale-last.md")
	flag.Parse()
	if err := s.run(ctx, only, save); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func (s *scale) run(ctx context.Context, only string, save bool) (err error) {
	tmp, err := os.MkdirTemp(s.dir, "liangche-scale")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	s.dir = tmp
	if err := os.Setenv("TMPDIR", tmp); err != nil { // the server's data goes there too
		return err
	}
	fmt.Fprintf(s.out, "%s, %d cores, %d members against %d\n", runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), s.members, s.small)
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"size", s.size}, {"fleet", s.fleet}, {"sqlite", s.lite}} {
		if !strings.Contains(","+only+",", ","+part.name+",") {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	fmt.Fprintf(s.out, "\n%s\n", gauge.Columns(s.rows()))
	if !save {
		return nil
	}
	return s.save()
}

// say prints progress with the time since the start.
func (s *scale) say(format string, args ...any) {
	fmt.Fprintf(s.out, "[%5.0fs] "+format+"\n", append([]any{time.Since(s.begin).Seconds()}, args...)...)
}

// open starts a durable MariaDB, or takes the TiDB of the environment.
func (s *scale) open(ctx context.Context) error {
	if dsn := os.Getenv("LIANGCHE_TEST_TIDB_DSN"); dsn != "" {
		s.engine, s.server = "TiDB", host{dsn: dsn, close: func() {}}
		return nil
	}
	s.engine = "MariaDB"
	s.say("MariaDB: starting a throw-away server below %s", s.dir)
	server, err := mariadb.Start(ctx, true)
	if err != nil {
		return err
	}
	s.server = host{server.Pid, server.DSN, server.Close}
	return s.admin(ctx, fmt.Sprintf("SET GLOBAL innodb_buffer_pool_size = %d", s.pool()), "SET GLOBAL innodb_log_file_size = 536870912", "SET GLOBAL innodb_io_capacity_max = 20000", "SET GLOBAL innodb_io_capacity = 10000")
}

// shut ends the server.
func (s *scale) shut() {
	s.server.close()
	s.server = host{}
}

// pool is how much memory the server gets: all of the large database when half of what is free is enough for it.
func (s *scale) pool() int64 {
	free := int64(4 << 30)
	b, _ := os.ReadFile("/proc/meminfo") // absent on other systems
	for l := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(l, "MemAvailable:"); ok {
			if kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64); err == nil {
				free = kb << 10
			}
		}
	}
	return max(min(int64(s.members)*12<<10, free/2), 512<<20)
}

// admin runs statements on the server.
func (s *scale) admin(ctx context.Context, statements ...string) error {
	dsn, err := mariadb.Database(s.server.dsn, "")
	if err != nil {
		return err
	}
	return mariadb.Run(ctx, dsn, statements...)
}

// create makes an empty database and says how to open it.
func (s *scale) create(ctx context.Context, name string) (db.Config, error) {
	dsn, err := mariadb.Database(s.server.dsn, name)
	if err != nil {
		return db.Config{}, err
	}
	return db.Config{Driver: db.MySQL, DSN: dsn, MaxConns: 32}, s.admin(ctx, "DROP DATABASE IF EXISTS "+name, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
}

// size fills two databases and compares them.
func (s *scale) size(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	defer s.shut()
	small, err := s.create(ctx, "liangche_small")
	if err != nil {
		return err
	}
	large, err := s.create(ctx, "liangche_large")
	if err != nil {
		return err
	}
	return s.compare(ctx, small, large)
}

// lite is size on SQLite.
func (s *scale) lite(ctx context.Context) error {
	s.engine = "SQLite"
	s.server = host{}
	return s.compare(ctx, db.Config{Driver: db.SQLite, Path: filepath.Join(s.dir, "small.db"), MaxConns: 16}, db.Config{Driver: db.SQLite, Path: filepath.Join(s.dir, "large.db"), MaxConns: 16})
}

func (s *scale) compare(ctx context.Context, small, large db.Config) error {
	w, err := newShop(ctx, small)
	if err != nil {
		return err
	}
	defer w.Close()
	s.say("%s: %d members join, top up and are washed twice", s.engine, templateMembers)
	t, err := w.template(ctx)
	if err != nil {
		return err
	}
	big, err := w.twin(ctx, large)
	if err != nil {
		return err
	}
	defer big.Close()
	for _, x := range []struct {
		of      *shopfloor
		at      db.Config
		members int
	}{{w, small, s.small}, {big, large, s.members}} {
		if err := s.grow(ctx, x.of, x.at, t, x.members); err != nil {
			return err
		}
	}
	// Before the settlements: the journal's months leave out what is younger than ten minutes, and no shop settles so much in that time.
	if err := s.reads(ctx, w, big); err != nil {
		return err
	}
	if err := s.settled(ctx, w, big); err != nil {
		return err
	}
	if err := s.nights(ctx, big); err != nil {
		return err
	}
	if !s.audits {
		return nil
	}
	begin := time.Now()
	if err := big.exact(ctx); err != nil {
		return err
	}
	s.fact("%s: the audit of %d members finds nothing, after %.0f s", s.engine, s.members, time.Since(begin).Seconds())
	return nil
}
