package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/liangche/liangche/internal/gauge"
)

// sample is what one round gave.
type sample struct {
	perSecond float64
	cpuMicros float64 // of this process and the database server, per operation
	took      []time.Duration
}

// round calls f from all workers for a while. Fault: that of gauge.Load.
func (s *scale) round(ctx context.Context, d time.Duration, count *atomic.Int64, f func(ctx context.Context, worker, n int) error) (sample, error) {
	cpu := gauge.CPU(s.server.pid)
	took, elapsed, err := gauge.Load(ctx, s.workers, d, func(ctx context.Context, w int) error { return f(ctx, w, int(count.Add(1))) })
	if err != nil {
		return sample{}, err
	}
	n := float64(len(took))
	return sample{n / elapsed.Seconds(), float64((gauge.CPU(s.server.pid) - cpu).Microseconds()) / n, took}, nil
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
			s.say("  round %d/%d  %-6s %7.0f /s  %6.0f µs CPU  p99 %6.1f ms", round, s.rounds, []string{"small", "large"}[i], x.perSecond, x.cpuMicros, gauge.Percentile(x.took, 0.99))
			if round > 0 {
				got[i] = append(got[i], x)
			}
		}
	}
	var cpu []float64
	for i := range got[0] {
		cpu = append(cpu, got[1][i].cpuMicros/got[0][i].cpuMicros)
	}
	a, b := gauge.Percentile(pooled(got[1]), 0.99), gauge.Percentile(pooled(got[0]), 0.99)
	s.line("P6", fmt.Sprintf("%s: settle, %d members against %d: CPU per operation", s.engine, s.members, s.small), median(cpu), "%.2f×", 1.25, fmt.Sprintf("%.2f–%.2f", slices.Min(cpu), slices.Max(cpu)))
	s.line("P6", fmt.Sprintf("%s: settle, %d members against %d: p99", s.engine, s.members, s.small), a/b, "%.2f×", 2, fmt.Sprintf("%.1f ms against %.1f ms", a, b))
	return nil
}
