package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// op is one operation of worker w; n counts the operations of the whole run, so that each is another one.
type op func(ctx context.Context, w, n int) error

// sample is what one round of one variant gave.
type sample struct {
	perSecond float64
	cpuMicros float64 // of this process and the database server, per operation
	dbMicros  float64 // of the server alone
	p50, p99  float64 // ms
	took      []time.Duration
}

// meter runs variants and knows whose CPU time counts.
type meter struct {
	workers int
	server  int // pid of the database server; 0 for an embedded database
	count   atomic.Int64
}

// run calls f from all workers for d and fails with the first error: a benchmark that does not do its work measures nothing.
func (m *meter) run(ctx context.Context, d time.Duration, f op) (sample, error) {
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	cpu, served, begin := m.cpu(), cpuOf(m.server), time.Now()
	end := begin.Add(d)
	var wg sync.WaitGroup
	for w := range m.workers {
		wg.Go(func() {
			var mine []time.Duration
			var err error
			for err == nil && ctx.Err() == nil {
				at := time.Now()
				if at.After(end) {
					break
				}
				if err = f(ctx, w, int(m.count.Add(1))); err == nil {
					mine = append(mine, time.Since(at))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			if failed == nil {
				failed = err
			}
		})
	}
	wg.Wait()
	elapsed, used, served := time.Since(begin), m.cpu()-cpu, cpuOf(m.server)-served
	if failed == nil {
		failed = ctx.Err()
	}
	if failed != nil || len(took) == 0 {
		return sample{}, fmt.Errorf("after %d operations: %w", len(took), failed)
	}
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	n := float64(len(took))
	return sample{perSecond: n / elapsed.Seconds(), cpuMicros: float64(used.Microseconds()) / n, dbMicros: float64(served.Microseconds()) / n, p50: at(0.5), p99: at(0.99), took: took}, nil
}

// cpu is the processor time that this process and the database server have used.
func (m *meter) cpu() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano()+r.Stime.Nano()) + cpuOf(m.server)
}

// cpuOf reads the processor time of another process from /proc, in ticks of 10 ms; 0 where there is no /proc.
func cpuOf(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if pid == 0 || err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// variant is one way of doing the work that is compared.
type variant struct {
	name string
	do   op
}

// series are the samples of a variant, one a round.
type series []sample

func (s series) of(f func(sample) float64) (median, low, high float64) {
	v := make([]float64, 0, len(s))
	for _, x := range s {
		v = append(v, f(x))
	}
	slices.Sort(v)
	if len(v) == 0 {
		return 0, 0, 0
	}
	return v[len(v)/2], v[0], v[len(v)-1]
}

func rate(s sample) float64 { return s.perSecond }
func cost(s sample) float64 { return s.cpuMicros }
func slow(s sample) float64 { return s.p99 }

// interleave runs every variant once a round, in an order drawn anew, so that neither a noisy moment of the machine nor what the variant
// before left behind favours one of them.
func (m *meter) interleave(ctx context.Context, rounds int, d time.Duration, variants []variant, say func(format string, args ...any)) (map[string]series, error) {
	out := map[string]series{}
	for _, v := range variants { // warm: caches, connections, prepared pages
		if _, err := m.run(ctx, d/2, v.do); err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
	}
	for round := range rounds {
		for _, i := range rand.Perm(len(variants)) {
			v := variants[i]
			s, err := m.run(ctx, d, v.do)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v.name, err)
			}
			say("  round %d/%d  %-34s %8.0f /s  %6.0f µs CPU (server %5.0f)  p50 %6.1f  p99 %6.1f ms", round+1, rounds, v.name, s.perSecond, s.cpuMicros, s.dbMicros, s.p50, s.p99)
			out[v.name] = append(out[v.name], s)
		}
	}
	return out, nil
}

// tail is the 99th percentile of all rounds together, in ms: of a single round it would be the fate of some twenty operations.
func (s series) tail() float64 {
	var all []time.Duration
	for _, x := range s {
		all = append(all, x.took...)
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)*99/100].Seconds() * 1000
}

// ratios divides a by b round by round.
func ratios(a, b series, f func(sample) float64) (median, low, high float64) {
	var s series
	for i := range min(len(a), len(b)) {
		if d := f(b[i]); d > 0 {
			s = append(s, sample{perSecond: f(a[i]) / d})
		}
	}
	return s.of(rate)
}
