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

// run calls f from all workers for d. Fault: that of gauge.Load.
func (m *meter) run(ctx context.Context, d time.Duration, f op) (sample, error) {
	cpu, served := gauge.CPU(m.server), gauge.CPUOf(m.server)
	took, elapsed, err := gauge.Load(ctx, m.workers, d, func(ctx context.Context, w int) error { return f(ctx, w, int(m.count.Add(1))) })
	if err != nil {
		return sample{}, err
	}
	cpu, served = gauge.CPU(m.server)-cpu, gauge.CPUOf(m.server)-served
	n := float64(len(took))
	return sample{perSecond: n / elapsed.Seconds(), cpuMicros: float64(cpu.Microseconds()) / n, dbMicros: float64(served.Microseconds()) / n,
		p50: gauge.Percentile(took, 0.5), p99: gauge.Percentile(took, 0.99), took: took}, nil
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
	slices.Sort(all)
	return gauge.Percentile(all, 0.99)
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
