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

// sample is what one round gave.
type sample struct {
	perSecond float64
	cpuMicros float64 // of this process and the database server, per operation
	took      []time.Duration
}

// cpu is the processor time that this process, the database server and others have used.
func (s *scale) cpu(more ...int) time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	used := time.Duration(r.Utime.Nano() + r.Stime.Nano())
	for _, pid := range append(more, s.server.pid) {
		used += cpuOf(pid)
	}
	return used
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

// round calls f from all workers for a while and fails with the first error.
func (s *scale) round(ctx context.Context, d time.Duration, count *atomic.Int64, f func(ctx context.Context, worker, n int) error) (sample, error) {
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	cpu, begin := s.cpu(), time.Now()
	var wg sync.WaitGroup
	for w := range s.workers {
		wg.Go(func() {
			var mine []time.Duration
			var err error
			for err == nil && ctx.Err() == nil && time.Since(begin) < d {
				at := time.Now()
				if err = f(ctx, w, int(count.Add(1))); err == nil {
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
	if failed == nil {
		failed = ctx.Err()
	}
	if failed != nil || len(took) == 0 {
		return sample{}, fmt.Errorf("after %d operations: %w", len(took), failed)
	}
	slices.Sort(took)
	n := float64(len(took))
	return sample{n / time.Since(begin).Seconds(), float64((s.cpu() - cpu).Microseconds()) / n, took}, nil
}

// at is a percentile of sorted times in ms.
func at(took []time.Duration, q float64) float64 {
	return took[int(q*float64(len(took)-1))].Seconds() * 1000
}

// pooled are the times of all rounds together, sorted.
func pooled(all []sample) (took []time.Duration) {
	for _, x := range all {
		took = append(took, x.took...)
	}
	slices.Sort(took)
	return took
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	if len(v) == 0 {
		return 0
	}
	return v[len(v)/2]
}

// settled is P6: the same settlement on the small and on the large database, of members drawn from all.
func (s *scale) settled(ctx context.Context, small, large *shopfloor) error {
	const most = 10_000
	kinds := []*shopfloor{small, large}
	guests := make([][]guest, 2)
	for i, w := range kinds {
		var err error
		if guests[i], err = w.sample(ctx, most); err != nil {
			return err
		}
	}
	s.say("%s: %d and %d members are quoted; now they settle", s.engine, len(guests[0]), len(guests[1]))
	var count atomic.Int64
	for i, w := range kinds { // the first visit of each of them: what it needs may have to come from the disk
		begin := time.Now()
		if err := many(len(guests[i]), s.workers, func(n int) error {
			return w.settle(ctx, fmt.Sprintf("scale-%010d", count.Add(1)), guests[i][n])
		}); err != nil {
			return err
		}
		s.fact("%s: the first settlement of each of %d members out of %d: %.0f a second", s.engine, len(guests[i]), []int{s.small, s.members}[i], float64(len(guests[i]))/time.Since(begin).Seconds())
	}
	if s.server.pid != 0 {
		if err := s.flushed(ctx, large); err != nil {
			return err
		}
	}
	got := make([][]sample, 2)
	for round := range s.rounds + 1 { // the first one warms up
		for _, i := range rand.Perm(2) {
			x, err := s.round(ctx, s.length, &count, func(ctx context.Context, _, n int) error {
				return kinds[i].settle(ctx, fmt.Sprintf("scale-%010d", n), guests[i][rand.IntN(len(guests[i]))])
			})
			if err != nil {
				return err
			}
			s.say("  round %d/%d  %-6s %7.0f /s  %6.0f µs CPU  p99 %6.1f ms", round, s.rounds, []string{"small", "large"}[i], x.perSecond, x.cpuMicros, at(x.took, 0.99))
			if round > 0 {
				got[i] = append(got[i], x)
			}
		}
	}
	var cpu []float64
	for i := range got[0] {
		cpu = append(cpu, got[1][i].cpuMicros/got[0][i].cpuMicros)
	}
	a, b := at(pooled(got[1]), 0.99), at(pooled(got[0]), 0.99)
	s.line("P6", fmt.Sprintf("%s: settle, %d members against %d: CPU per operation", s.engine, s.members, s.small), median(cpu), "%.2f×", 1.25, fmt.Sprintf("%.2f–%.2f", slices.Min(cpu), slices.Max(cpu)))
	s.line("P6", fmt.Sprintf("%s: settle, %d members against %d: p99", s.engine, s.members, s.small), a/b, "%.2f×", 2, fmt.Sprintf("%.1f ms against %.1f ms", a, b))
	return nil
}
