// Package gauge is what the programs share that measure or harm the system from outside: load, processor time, tables.
//
// Model: a load is an operation that some workers repeat for a while; a table is rows of cells, the first one its head. Owns: nothing.
// Invariants: a load that fails gives no figure; times are those of the machine, never of a shop.
package gauge

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

// Load calls f from all workers for d, at least once from each, and returns how long each call took, sorted, and how long all of it. It fails with the
// first error: a benchmark that does not do its work measures nothing.
func Load(ctx context.Context, workers int, d time.Duration, f func(ctx context.Context, worker int) error) (took []time.Duration, elapsed time.Duration, err error) {
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	begin := time.Now()
	for w := range workers {
		wg.Go(func() {
			var mine []time.Duration
			var err error
			for at := begin; err == nil && ctx.Err() == nil && (len(mine) == 0 || at.Sub(begin) <= d); {
				from := time.Now()
				if err = f(ctx, w); err == nil {
					at = time.Now()
					mine = append(mine, at.Sub(from))
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
	elapsed = time.Since(begin)
	if failed == nil {
		failed = ctx.Err()
	}
	if failed != nil {
		return nil, 0, fmt.Errorf("after %d operations: %w", len(took), failed)
	}
	slices.Sort(took)
	return took, elapsed, nil
}

// Percentile of sorted times, in ms; q lies between 0 and 1. 0 when there are none.
func Percentile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))].Seconds() * 1000
}

// CPU is the processor time that this process and others have used.
func CPU(others ...int) time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	used := time.Duration(r.Utime.Nano() + r.Stime.Nano())
	for _, pid := range others {
		used += CPUOf(pid)
	}
	return used
}

// CPUOf reads the processor time of another process from /proc, in ticks of 10 ms; 0 for the pid 0 and where there is no /proc.
func CPUOf(pid int) time.Duration {
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

// Heap samples the heap of this process until the returned function is called; that says by how many bytes it rose at most.
func Heap() func() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, peak := m.HeapInuse, m.HeapInuse
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
		}
	}()
	return func() uint64 { close(stop); <-done; return peak - before }
}

// Machine says what the figures were measured on.
func Machine() string {
	name := "unknown processor"
	b, _ := os.ReadFile("/proc/cpuinfo") // unknown elsewhere
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			name = strings.TrimSpace(v)
			break
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", name, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// Columns sets a table for a terminal.
func Columns(rows [][]string) string {
	var width []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		for i, c := range r {
			b.WriteString(c + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)+2))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Markdown sets a table for a document.
func Markdown(rows [][]string) string {
	var b strings.Builder
	for i, r := range rows {
		b.WriteString("| " + strings.Join(r, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(r)) + "|\n")
		}
	}
	return b.String()
}
