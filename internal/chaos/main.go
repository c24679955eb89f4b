// Command chaos runs real `liangche serve` processes under load, harms them, and looks afterwards whether anything was lost, doubled or wrong.
//
// Model: a site is a shop with its database, its servers and its WeChat, which is a process of its own and survives. Phones and tills use it over HTTP
// as people do: a command keeps its idempotency key until it has an answer. A part is one kind of harm; it runs in rounds, and after each round
// everything that was answered must be in the books exactly once, and nothing else. What is not is a finding.
// Owns: nothing that outlives it except docs/reliability-last.md, with -save. Invariants: the servers have no back door for it: what is done to them, an
// operator could do; only the clock cannot be moved from outside, so the part clock builds the same App in this process.
//
//	go run ./internal/chaos [-only kill-sqlite,kill-mariadb,cut,restart,two,three,disk,clock,wechat,overload] [-kills n] [-seed n] [-short] [-save]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// chaos is one run.
type chaos struct {
	out   io.Writer
	prog  program
	dir   string
	seed  uint64
	kills int
	short bool
	begin time.Time
	lease func() db.Config // an empty database on a MariaDB that runs already; nil starts one

	mu      sync.Mutex
	results []*result
}

// part is one kind of harm.
type part struct {
	name string
	what string
	run  func(ctx context.Context, r *result) error
}

func (c *chaos) parts() []part {
	return []part{
		{"kill-sqlite", "kill -9 of the server, SQLite", c.killSQLite},
		{"kill-mariadb", "kill -9 of the server, MariaDB; every other one between COMMIT and its answer", c.killMariaDB},
		{"cut", "connections to MariaDB cut in the middle of COMMIT, and the network gone for a moment", c.cutting},
		{"restart", "MariaDB killed, or asked to stop, and started again", c.restarting},
		{"two", "two servers on one MariaDB, either of them killed", c.two},
		{"three", "three servers on one MariaDB, any of them killed", c.three},
		{"disk", "the disk full, then read-only, SQLite", c.disks},
		{"clock", "the shop's clock jumps forwards, backwards and over midnight", c.clocks},
		{"wechat", "every combination of faults of WeChat Pay, its notifications and the platform API", c.wechats},
		{"overload", "ten times as many clients as saturate the server", c.overload},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &chaos{out: os.Stdout, begin: time.Now()}
	var only string
	var save bool
	flag.StringVar(&only, "only", "", "which parts to run, by name or by how the name begins; all without it")
	flag.IntVar(&c.kills, "kills", 50, "how many times each of the kill parts kills")
	flag.Uint64Var(&c.seed, "seed", rand.Uint64N(1_000_000), "what decides where the harm is done")
	flag.BoolVar(&c.short, "short", false, "a few rounds of each, as the tests run them")
	flag.BoolVar(&save, "save", false, "write docs/reliability-last.md")
	flag.Parse()
	findings, err := c.main(ctx, only, save)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || findings > 0 {
		stop()
		os.Exit(1) //nolint:gocritic // nothing is left to be deferred
	}
}

// main builds the program, runs the parts and says what came of them. It returns how many findings there are.
func (c *chaos) main(ctx context.Context, only string, save bool) (findings int, err error) {
	if c.dir, err = os.MkdirTemp("", "liangche-chaos"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(c.dir)
	c.say("%s, %d cores, seed %d", runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), c.seed)
	c.say("building the program")
	c.prog = program{path: filepath.Join(c.dir, "liangche")}
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", c.prog.path, "./cmd/liangche").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, out)
	}
	for _, p := range c.parts() {
		if chosen(only, p.name) {
			err = errors.Join(err, c.run(ctx, p))
		}
	}
	fmt.Fprintf(c.out, "\n%s", table(c.results))
	for _, r := range c.results {
		findings += len(r.findings)
	}
	if err == nil && save {
		err = c.save()
	}
	return findings, err
}

// run does one part. What it cannot do at all is an error; what it finds stands in its result.
func (c *chaos) run(ctx context.Context, p part) error {
	r := &result{part: p, c: c, rnd: rand.New(rand.NewPCG(c.seed, 1))}
	c.results = append(c.results, r)
	c.say("%s: %s", p.name, p.what)
	begin := time.Now()
	err := p.run(ctx, r)
	r.took = time.Since(begin)
	r.late()
	var skip skipped
	if errors.As(err, &skip) {
		r.skipped = string(skip)
		c.say("%s: skipped: %s", p.name, skip)
		return nil
	}
	if len(r.findings) > 0 || err != nil {
		c.say("%s: to run it again: go run ./internal/chaos -only %s -seed %d -kills %d", p.name, p.name, c.seed, c.kills)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// chosen says whether a part is among those that were named.
func chosen(only, name string) bool {
	for want := range strings.SplitSeq(only, ",") {
		if strings.HasPrefix(name, want) {
			return true
		}
	}
	return false
}

// skipped is the error of a part that this machine does not permit, with the reason.
type skipped string

func (s skipped) Error() string { return string(s) }

// say prints progress with the time since the start.
func (c *chaos) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "[%4.0fs] "+format+"\n", append([]any{time.Since(c.begin).Seconds()}, args...)...)
}
