package gauge

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestLoadCountsWhatWasDone(t *testing.T) {
	var n atomic.Int64
	took, elapsed, err := Load(t.Context(), 3, time.Millisecond, func(context.Context, int) error { n.Add(1); return nil })
	if err != nil || int64(len(took)) != n.Load() || n.Load() == 0 || elapsed <= 0 || !slices.IsSorted(took) {
		t.Fatalf("%d of %d, %v, %v", len(took), n.Load(), elapsed, err)
	}
}

func TestLoadThatFailsGivesNoFigure(t *testing.T) {
	broken := errors.New("broken")
	if took, _, err := Load(t.Context(), 2, time.Hour, func(context.Context, int) error { return broken }); !errors.Is(err, broken) || took != nil {
		t.Fatal(took, err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if _, _, err := Load(over, 2, time.Hour, func(context.Context, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestPercentile(t *testing.T) {
	ms := []time.Duration{1 * time.Millisecond, 2 * time.Millisecond, 30 * time.Millisecond}
	if Percentile(ms, 0) != 1 || Percentile(ms, 0.5) != 2 || Percentile(ms, 1) != 30 || Percentile(nil, 0.5) != 0 {
		t.Fatal(Percentile(ms, 0), Percentile(ms, 0.5), Percentile(ms, 1))
	}
}

func TestCPU(t *testing.T) {
	for end := CPU() + 30*time.Millisecond; CPU() < end; { // works, so that there is something to see
	}
	if CPUOf(0) != 0 || CPU(os.Getpid()) <= CPU() {
		t.Fatal(CPUOf(0), CPU())
	}
}

func TestTables(t *testing.T) {
	rows := [][]string{{"a", "数"}, {"bbb", "1"}}
	if got := Columns(rows); got != "a    数  \nbbb  1  \n" {
		t.Errorf("%q", got)
	}
	if got := Markdown(rows); got != "| a | 数 |\n|---|---|\n| bbb | 1 |\n" {
		t.Errorf("%q", got)
	}
}
