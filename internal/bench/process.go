package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process measures the program as it is shipped: size, time to ready, memory, the demo's first and later start.
func (b *bench) process(ctx context.Context) error {
	return b.built(ctx, func(dir, bin string) error {
		size, err := sizeWithoutPages(bin)
		if err != nil {
			return err
		}
		b.atMost("size", "program without front-end pages, MB", []float64{size}, "%.1f", 60, 0)
		if err := b.quotes(); err != nil {
			return err
		}
		if err := b.starts(ctx, dir, bin); err != nil {
			return err
		}
		if err := b.memory(ctx, dir, bin); err != nil {
			return err
		}
		return b.demo(ctx, dir, bin)
	})
}

// built runs f with the program, built anew, and a folder to work in.
func (b *bench) built(ctx context.Context, f func(dir, bin string) error) error {
	dir, err := os.MkdirTemp("", "liangche-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.say("process: building the program")
	bin := filepath.Join(dir, "liangche")
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "./cmd/liangche").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return f(dir, bin)
}

// sizeWithoutPages is the program's size less the built pages that are embedded in it, in MB.
func sizeWithoutPages(bin string) (float64, error) {
	st, err := os.Stat(bin)
	if err != nil {
		return 0, err
	}
	n := st.Size()
	for _, dist := range []string{"internal/h5/dist", "internal/console/web/dist"} {
		err := filepath.WalkDir(dist, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			i, err := d.Info()
			if err == nil {
				n -= i.Size()
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	return float64(n) / 1e6, nil
}

// child is a running liangche.
type child struct {
	cmd   *exec.Cmd
	base  string
	ready time.Duration // from the start of the process
}

// launch starts the program on a free port and waits until /readyz says yes.
func launch(ctx context.Context, bin string, args func(listen string) []string) (*child, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	listen := ln.Addr().String()
	_ = ln.Close()
	c := &child{cmd: exec.Command(bin, args(listen)...), base: "http://" + listen}
	var said strings.Builder
	c.cmd.Stderr = &said
	begin := time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: time.Second}
	for time.Since(begin) < 2*time.Minute && ctx.Err() == nil {
		res, err := client.Get(c.base + "/readyz")
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				c.ready = time.Since(begin)
				return c, nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	c.stop()
	return nil, fmt.Errorf("%s never became ready: %s", strings.Join(c.cmd.Args[1:], " "), said.String())
}

// stop ends the process and waits for it.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_ = c.cmd.Wait()
}

// resident is the memory that the process occupies now, in MB; 0 where there is no /proc.
func (c *child) resident() float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid)) // absent on other systems
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 64)
			return kb / 1024
		}
	}
	return 0
}

// serve is the command line of `liangche serve` over the data in dir.
func serve(dir string, keyset []byte) (func(listen string) []string, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "keyset.json"), keyset, 0o600); err != nil {
		return nil, err
	}
	return func(listen string) []string {
		file := filepath.Join(dir, "config.yaml")
		text := fmt.Sprintf("listen: %s\npublic_url: http://%s\nlog_level: error\nsecret:\n  keyset_file: %s\ndatabase:\n  path: %s\nstorage:\n  dir: %s\n", listen, listen,
			filepath.Join(dir, "keyset.json"), filepath.Join(dir, "liangche.db"), filepath.Join(dir, "blobs"))
		_ = os.WriteFile(file, []byte(text), 0o600) // the program complains when it is missing
		return []string{"serve", "--config", file}
	}, nil
}

// starts measures P12 on the embedded database.
func (b *bench) starts(ctx context.Context, dir, bin string) error {
	keyset, err := exec.CommandContext(ctx, bin, "config", "keyset").Output()
	if err != nil {
		return err
	}
	var empty, migrated []float64
	for i := range b.rounds {
		args, err := serve(filepath.Join(dir, fmt.Sprintf("start%d", i)), keyset)
		if err != nil {
			return err
		}
		for _, times := range []*[]float64{&empty, &migrated} {
			c, err := launch(ctx, bin, args)
			if err != nil {
				return err
			}
			*times = append(*times, c.ready.Seconds())
			c.stop()
		}
		b.say("  round %d/%d  start to ready: empty %.2f s, migrated %.2f s", i+1, b.rounds, empty[i], migrated[i])
	}
	b.atMost("P12", "start to ready, migrated database, s", migrated, "%.2f", 0.5, 0.1)
	b.atMost("P12", "start to ready, empty database, s", empty, "%.2f", 3, 1)
	return nil
}

// memory measures P11: idle after the start, and while tills settle over HTTP.
func (b *bench) memory(ctx context.Context, dir, bin string) error {
	b.say("process: memory of `liangche serve`")
	w, c, err := b.serving(ctx, filepath.Join(dir, "memory"), bin)
	if err != nil {
		return err
	}
	defer c.stop()
	time.Sleep(2 * time.Second)
	idle := c.resident()
	busy, err := c.loaded(ctx, 8*b.length, 250*time.Millisecond, newTill(w, c.base).overHTTP)
	if err != nil {
		return err
	}
	b.atMost("P11", "resident memory idle, MB", []float64{idle}, "%.0f", 80, 40)
	b.atMost("P11", "resident memory under load (the largest), MB", []float64{largest(busy)}, "%.0f", 200, 120)
	return nil
}

// legs are the parts of the steady load: before each the till renews its session.
const legs = 6

// pace is how long each till waits between two customers when the load has to last.
const pace = 200 * time.Millisecond

// steady measures whether P11's memory stays flat: tills settle over HTTP, at the pace of a busy chain, for as long as -steady says.
func (b *bench) steady(ctx context.Context) error {
	return b.built(ctx, func(dir, bin string) error {
		w, c, err := b.serving(ctx, filepath.Join(dir, "steady"), bin)
		if err != nil {
			return err
		}
		defer c.stop()
		b.say("process: memory of `liangche serve` over %s", b.hold)
		till := newTill(w, c.base)
		var busy []float64
		for leg := range legs {
			if err := till.signOn(ctx); err != nil {
				return err
			}
			mb, err := c.loaded(ctx, b.hold/legs, b.hold/(legs*10), func(ctx context.Context, worker, n int) error {
				time.Sleep(pace)
				return till.overHTTP(ctx, worker, leg<<24+n) // the meter counts anew, the idempotency keys go on
			})
			if err != nil {
				return err
			}
			busy = append(busy, mb...)
			b.say("  resident, MB: %.0f", mb)
		}
		q := len(busy) / 4
		b.atMost("P11", fmt.Sprintf("largest resident memory in the last quarter of %s under steady load, MB", b.hold), []float64{largest(busy[len(busy)-q:])}, "%.0f", 200, 120)
		b.atMost("P11", "the same, of the second quarter's largest (flat)", []float64{largest(busy[len(busy)-q:]) / largest(busy[q:2*q])}, "%.2f", 1.1, 1)
		return nil
	})
}

// serving starts the program over a world of its own on the embedded database.
func (b *bench) serving(ctx context.Context, dir, bin string) (*world, *child, error) {
	w, err := newWorld(ctx, sqliteIn(dir), b.members/8)
	if err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	args, err := serve(dir, w.keyset)
	if err != nil {
		return nil, nil, err
	}
	c, err := launch(ctx, bin, args)
	return w, c, err
}

// loaded is the program's resident memory, step by step, while f runs against it for d.
func (c *child) loaded(ctx context.Context, d, step time.Duration, f op) (mb []float64, err error) {
	done := make(chan error, 1)
	go func() {
		_, err := (&meter{workers: workerCount}).run(ctx, d, f)
		done <- err
	}()
	tick := time.NewTicker(step)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return mb, err
		case <-tick.C:
			mb = append(mb, c.resident())
		}
	}
}

func largest(v []float64) (m float64) {
	for _, x := range v {
		m = max(m, x)
	}
	return m
}

// demo measures how long `liangche demo` takes the first time, with its months of history, and afterwards.
func (b *bench) demo(ctx context.Context, dir, bin string) error {
	b.say("process: first and later start of `liangche demo`")
	args := func(listen string) []string {
		return []string{"demo", "--listen", listen, "--data", filepath.Join(dir, "demo"), "--log", "error"}
	}
	var took [2]float64
	for i := range took {
		c, err := launch(ctx, bin, args)
		if err != nil {
			return err
		}
		took[i] = c.ready.Seconds()
		c.stop()
	}
	b.atMost("demo", "first start, with its history, s", []float64{took[0]}, "%.1f", 0, 0)
	b.atMost("demo", "later start, s", []float64{took[1]}, "%.2f", 15, 0)
	return nil
}
